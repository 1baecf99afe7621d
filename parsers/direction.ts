import { Buffer } from 'node:buffer';
import type { Direction } from './record.ts';

/** By `packetDirection`; undefined where it cannot be known. */
export const DIRECTIONS: readonly (Direction | undefined)[] = [undefined, 'ingress', 'egress'];
export const UNKNOWN = 0;
const INGRESS = 1;
const EGRESS = 2;

/** Where an interface leads: nowhere (none is named), to a pod, to elsewhere (network, tunnel), or back here. */
const NOWHERE = 0;
const POD = 1;
const ELSEWHERE = 2;
const LOOPBACK = 3;

/** Tunnels of network plug-ins lead to other nodes, also where their names begin like a pod's. */
const TUNNELS = [
  'tunl',
  'vxlan',
  'wireguard.',
  'wg',
  'flannel',
  'geneve',
  'gre',
  'sit',
  'ip6tnl',
  'cilium_',
].map((beginning) => Buffer.from(beginning));

/**
 * Whose policy logged a packet, by the names of the interfaces that it passes, as seen from the pod or the
 * host endpoint that the policy protects: an index in `DIRECTIONS`. Unknown where both ends are on the node,
 * or neither is.
 *
 * @param workloads beginnings of the names of interfaces that lead to a pod
 */
export function packetDirection(
  bytes: Uint8Array,
  inStart: number,
  inEnd: number,
  outStart: number,
  outEnd: number,
  workloads: readonly Uint8Array[],
): number {
  const from = side(bytes, inStart, inEnd, workloads);
  const to = side(bytes, outStart, outEnd, workloads);
  if (from === LOOPBACK || to === LOOPBACK) return UNKNOWN;
  if (from === POD) return to === POD ? UNKNOWN : EGRESS;
  if (to === POD) return INGRESS;
  if (from === ELSEWHERE) return to === NOWHERE ? INGRESS : UNKNOWN;
  return to === ELSEWHERE ? EGRESS : UNKNOWN;
}

function side(bytes: Uint8Array, start: number, end: number, workloads: readonly Uint8Array[]): number {
  if (start === end) return NOWHERE;
  if (end - start === 2 && bytes[start] === 0x6c && bytes[start + 1] === 0x6f) return LOOPBACK;
  if (beginsWithAny(bytes, start, end, TUNNELS)) return ELSEWHERE;
  return beginsWithAny(bytes, start, end, workloads) ? POD : ELSEWHERE;
}

function beginsWithAny(
  bytes: Uint8Array,
  start: number,
  end: number,
  beginnings: readonly Uint8Array[],
): boolean {
  const first = bytes[start];
  for (let k = 0; k < beginnings.length; k++) {
    const beginning = beginnings[k]!;
    if (beginning[0] !== first) continue;
    let same = 1;
    while (same < beginning.length && start + same < end && bytes[start + same] === beginning[same]) same++;
    if (same === beginning.length) return true;
  }
  return false;
}
