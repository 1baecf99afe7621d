#!/bin/bash
# Sees to the system packages that the tests use: packages.sh e2e|real
#
# As root on Debian or Ubuntu, says what is missing and installs it. Elsewhere, says what is missing, that the
# tests which need it will be skipped, and what would change that. Daemons that come with a package are neither
# started nor enabled: the tests start their own, with configurations of their own.
set -euo pipefail

# command, or file, → Debian package
case ${1:-} in
  e2e) needed=(ip:iproute2 ping:iputils-ping sysctl:procps iptables:iptables nft:nftables rsyslogd:rsyslog logrotate:logrotate
                promtool:prometheus mawk:mawk) ;;
  real) needed=(prometheus:prometheus podman:podman runc:runc mmdebstrap:mmdebstrap openssl:openssl iptables:iptables
        rsyslogd:rsyslog containerd:containerd /usr/lib/cni/host-local:containernetworking-plugins
        busybox:busybox-static dnsmasq:dnsmasq-base ip:iproute2
        /usr/lib/*/rsyslog/lmnsd_gtls.so:rsyslog-gnutls /usr/lib/*/rsyslog/lmnsd_ossl.so:rsyslog-openssl) ;;
  *) echo "usage: $0 e2e|real" >&2; exit 64 ;;
esac

PATH=$PATH:/usr/sbin:/sbin
missing=()
for pair in "${needed[@]}"; do
  command -v "${pair%%:*}" >/dev/null || compgen -G "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
(( ${#missing[@]} )) || exit 0

install="apt-get install --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "Not on this machine: ${missing[*]} (Debian's names). Tests that need them are skipped; install them to run those too."
  exit 0
fi
if (( EUID != 0 )); then
  echo "Not on this machine: ${missing[*]}. Tests that need them are skipped; to run those too: sudo $install"
  exit 0
fi

echo "Not on this machine: ${missing[*]}. Installing: $install"
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || echo 'apt-get update failed; trying with the package lists that are here' >&2
apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
for unit in rsyslog prometheus containerd; do
  [[ " ${missing[*]} " == *" $unit "* && -d /run/systemd/system ]] || continue
  systemctl disable --quiet "$unit"
done
