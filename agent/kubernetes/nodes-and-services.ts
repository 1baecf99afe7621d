import { canonicalIp } from '../../parsers/ip.ts';
import type { Held } from './holders.ts';
import type { ObjectMetadata } from './pod-facts.ts';

/** Where Calico notes a node's own addresses and those of its tunnels. */
const CALICO_ADDRESSES = [
  'projectcalico.org/IPv4Address',
  'projectcalico.org/IPv6Address',
  'projectcalico.org/IPv4IPIPTunnelAddr',
  'projectcalico.org/IPv4VXLANTunnelAddr',
  'projectcalico.org/IPv6VXLANTunnelAddr',
  'projectcalico.org/IPv4WireguardInterfaceAddr',
  'projectcalico.org/IPv6WireguardInterfaceAddr',
];

/** What of a Node object is looked at. */
export interface NodeObject {
  readonly metadata: ObjectMetadata;
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** What of a Service object is looked at. */
export interface ServiceObject {
  readonly metadata: ObjectMetadata;
  readonly spec?: { readonly clusterIP?: string; readonly clusterIPs?: readonly string[] };
}

/** A node and its addresses. One that is no longer heard of may have lost them to another machine: it has none. */
export function readNode({ metadata, status }: NodeObject): Held {
  const holder = { kind: 'node', name: metadata.name ?? '' } as const;
  const isLost = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'Unknown');
  if (isLost) return { holder, addresses: [] };
  const told = (status?.addresses ?? []).map(({ address }) => address);
  const noted = CALICO_ADDRESSES.map((key) => metadata.annotations?.[key]?.split('/')[0]);
  return { holder, addresses: canonical([...told, ...noted]) };
}

/** A service and its cluster addresses; none where it is headless. */
export function readService({ metadata, spec }: ServiceObject): Held {
  const { name = '', namespace = '' } = metadata;
  return {
    holder: { kind: 'service', name, namespace },
    addresses: canonical([...(spec?.clusterIPs ?? []), spec?.clusterIP]),
  };
}

/** The addresses among texts, each once: of a node some are names. */
function canonical(texts: readonly (string | undefined)[]): string[] {
  return [...new Set(texts.flatMap((text) => (text ? (canonicalIp(text) ?? []) : [])))];
}
