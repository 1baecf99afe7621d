import { protocolNumber } from '../../parsers/protocols.ts';
import type { Endpoint, FlowRecord, LogRecord, SummaryRecord } from '../../parsers/record.ts';
import { communityId } from './community-id.ts';

type Fields = Record<string, unknown>;

const VERSION = '9.4.0';

/**
 * A record in the Elastic Common Schema. What the schema has no name for keeps its own under `policy_log_agent`:
 * both sides, all policies, the packet, counts, and the body of other logs. Nothing is left out.
 * A field that is undefined here is absent from the JSON.
 */
export function encodeEcs(record: Fields): Fields {
  if ('connection' in record) return flow(record as unknown as FlowRecord);
  return other(record);
}

function flow(record: FlowRecord): Fields {
  const { id, timestamp, last_timestamp, connection, node_name, packets, bytes, ...own } = record;
  const { src_ip, src_port, dest_ip, dest_port, protocol, direction } = connection;
  const number = protocolNumber(protocol);
  const { disposition, packet, policies } = record;
  return {
    '@timestamp': timestamp,
    ecs: { version: VERSION },
    event: {
      id,
      kind: 'event',
      category: ['network'],
      type: ['connection', ...(TYPES[disposition] ?? [])],
      ...(disposition === 'unknown'
        ? { outcome: 'unknown' }
        : // The verdict was carried out, whichever it was.
          { action: disposition, outcome: 'success' }),
      dataset: `${NAMESPACE}.${own.log_type ?? 'flow'}`,
      start: timestamp,
      end: last_timestamp,
    },
    source: { ip: src_ip, port: src_port },
    destination: { ip: dest_ip, port: dest_port },
    network: {
      transport: transport(protocol),
      iana_number: number?.toString(),
      type: networkType(src_ip ?? dest_ip),
      direction,
      community_id: number === undefined ? undefined : communityId(connection, number, icmpOf(packet)),
      packets,
      bytes,
    },
    orchestrator: orchestrator(direction === 'ingress' ? [record.dest] : [record.src, record.dest]),
    observer: observer(packet),
    host: node_name === undefined ? undefined : { name: node_name },
    rule: policies?.[0] && { name: policies[0].name, ruleset: policies[0].tier },
    related: { ip: [...new Set([src_ip, dest_ip])].filter((ip) => ip !== undefined) },
    [NAMESPACE]: own,
  };
}

function other(record: Partial<LogRecord & SummaryRecord>): Fields {
  const { id, timestamp, last_timestamp, node_name, message, ...own } = record;
  const isSummary = 'dropped' in record;
  return {
    '@timestamp': timestamp,
    ecs: { version: VERSION },
    event: {
      id,
      kind: 'event',
      ...(isSummary && {
        category: ['network'],
        type: ['info'],
        start: timestamp,
        end: record.last_timestamp,
      }),
      dataset: `${NAMESPACE}.${record.log_type}`,
    },
    message,
    host: node_name === undefined ? undefined : { name: node_name },
    [NAMESPACE]: own,
  };
}

const NAMESPACE = 'policy_log_agent';
const TYPES: Readonly<Record<string, string[]>> = { allow: ['allowed'], deny: ['denied'] };

/** The protocol's name in IANA's register; undefined for one that has none. */
function transport(protocol: string): string | undefined {
  if (protocol === 'icmpv6') return 'ipv6-icmp';
  return /^\d|^unknown$/.test(protocol) ? undefined : protocol;
}

function networkType(ip: string | undefined): string | undefined {
  if (ip === undefined) return undefined;
  return ip.includes(':') ? 'ipv6' : 'ipv4';
}

function icmpOf(packet: FlowRecord['packet']): { type: number; code: number } | undefined {
  if (typeof packet?.icmp_type !== 'number') return undefined;
  return { type: packet.icmp_type, code: Number(packet.icmp_code ?? 0) };
}

/** The pod whose policy the connection met, where a side is one. */
function orchestrator(sides: readonly Endpoint[]): Fields | undefined {
  const pod = sides.find(({ pod_name }) => pod_name !== undefined);
  if (pod === undefined) return undefined;
  const { pod_name, namespace, workload_kind } = pod;
  const parent = workload_kind === undefined ? undefined : { type: workload_kind };
  return { type: 'kubernetes', namespace, resource: { type: 'pod', name: pod_name, parent } };
}

/** The interfaces that the packet came in and went out by. */
function observer(packet: FlowRecord['packet']): Fields | undefined {
  if (packet?.in === undefined && packet?.out === undefined) return undefined;
  return {
    ingress: packet.in === undefined ? undefined : { interface: { name: packet.in } },
    egress: packet.out === undefined ? undefined : { interface: { name: packet.out } },
  };
}
