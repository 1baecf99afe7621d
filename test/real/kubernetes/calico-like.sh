#!/bin/bash
# A CNI plugin that wires a pod as Calico does: a routed veth pair whose end on the node is named `cali` and the
# first 11 hexadecimal digits of sha1("NAMESPACE.POD"). Addresses come from the plugin host-local.
set -euo pipefail

conf=$(cat)
argument() { tr ';' '\n' <<< "$CNI_ARGS" | sed -n "s/^$1=//p"; }

case $CNI_COMMAND in
  VERSION) echo '{"cniVersion":"0.4.0","supportedVersions":["0.4.0"]}'; exit 0 ;;
  CHECK) exit 0 ;;
esac

pod=$(argument K8S_POD_NAMESPACE).$(argument K8S_POD_NAME)
near=cali$(printf %s "$pod" | sha1sum | cut -c 1-11)
if [[ $CNI_COMMAND == DEL ]]; then
  "$CNI_PATH/host-local" <<< "$conf" >/dev/null || true
  # A pod that took the name over keeps its interface.
  [[ $(cat "/sys/class/net/$near/ifalias" 2>/dev/null) != "$CNI_CONTAINERID" ]] || ip link delete "$near"
  exit 0
fi

address=$("$CNI_PATH/host-local" <<< "$conf" | grep -oE '"address": *"[0-9.]+' | grep -oE '[0-9.]+$')
in_pod() { nsenter --net="$CNI_NETNS" ip "$@"; }
{
  ! ip link show "$near" || ip link delete "$near"
  ip link add "$near" type veth peer name "peer${near#cali}"
  ip link set "peer${near#cali}" netns "$(basename "$CNI_NETNS")"
  in_pod link set "peer${near#cali}" name "$CNI_IFNAME"
  in_pod address add "$address/32" dev "$CNI_IFNAME"
  in_pod link set lo up
  in_pod link set "$CNI_IFNAME" up
  in_pod route add 169.254.1.1 dev "$CNI_IFNAME" scope link
  in_pod route add default via 169.254.1.1 dev "$CNI_IFNAME"
  echo 1 > "/proc/sys/net/ipv4/conf/$near/proxy_arp"
  echo 0 > "/proc/sys/net/ipv4/neigh/$near/proxy_delay"
  ip link set "$near" alias "$CNI_CONTAINERID"
  ip link set "$near" address ee:ee:ee:ee:ee:ee
  ip link set "$near" up
  ip route add "$address" dev "$near" scope link
} >&2
printf '{"cniVersion":"0.4.0","interfaces":[{"name":"%s"},{"name":"%s","sandbox":"%s"}],"ips":[{"version":"4","address":"%s/32","interface":1}]}\n' \
  "$near" "$CNI_IFNAME" "$CNI_NETNS" "$address"
