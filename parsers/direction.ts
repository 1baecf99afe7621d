import type { Direction } from './record.ts';

/** Where an interface leads: nowhere (none is named), to a pod, or to elsewhere (network, tunnel). */
type Side = 'none' | 'pod' | 'other' | 'loopback';

/**
 * Whose policy logged a packet, by the interfaces that it passes, as seen from the pod or the host endpoint
 * that the policy protects. Undefined where both ends are on the node, or neither is.
 *
 * @param workloadInterfaces beginnings of the names of interfaces that lead to a pod
 */
export function packetDirection(
  inName: string,
  outName: string,
  workloadInterfaces: readonly string[],
): Direction | undefined {
  const from = side(inName, workloadInterfaces);
  const to = side(outName, workloadInterfaces);
  if (from === 'loopback' || to === 'loopback') return undefined;
  if (from === 'pod') return to === 'pod' ? undefined : 'egress';
  if (to === 'pod') return 'ingress';
  if (from === 'other') return to === 'none' ? 'ingress' : undefined;
  return to === 'other' ? 'egress' : undefined;
}

function side(name: string, workloadInterfaces: readonly string[]): Side {
  if (name === '') return 'none';
  if (name === 'lo') return 'loopback';
  // A tunnel of the network plug-in leads to other nodes, also where its name begins like a pod's.
  if (TUNNEL.test(name)) return 'other';
  return workloadInterfaces.some((beginning) => name.startsWith(beginning)) ? 'pod' : 'other';
}

const TUNNEL =
  /^(?:tunl\d|vxlan|wireguard\.cali|wg|flannel|geneve|gre|sit|ip6tnl|cilium_|lxc_health$|egress\.calico$)/;
