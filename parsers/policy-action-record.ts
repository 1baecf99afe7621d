import type { Connection, Disposition, Endpoint, FlowRecord, Policy, Source } from './record.ts';

/** What of a record is not copied from its line. */
export interface Decided {
  id: string;
  srcIp: string;
  destIp: string;
  disposition: Disposition;
  timestamp: string;
  lastTimestamp: string | undefined;
  node: string;
  source: Source;
}

/**
 * The record of a decoded policy-action line whose known members were found good. Known members that are `null`
 * are left out. `id` and `source` are this record's own; what the line has under those names is not kept.
 */
export function policyActionRecord(line: Line, decided: Decided): FlowRecord {
  const { id: _i, source: _s, disposition: _d, timestamp: _t, ...own } = line;
  const { connection, policies, src, dest, count, node_name, ...further } = own;
  if (decided.lastTimestamp !== undefined) further.last_timestamp = decided.lastTimestamp;
  const node = node_name || decided.node;
  return {
    id: decided.id,
    connection: connectionOf(connection, decided),
    disposition: decided.disposition,
    ...(policies ? { policies: policies.map(policyOf) } : undefined),
    src: endpointOf(src),
    dest: endpointOf(dest),
    count: count ?? 1,
    ...(node === '' ? undefined : { node_name: node }),
    timestamp: decided.timestamp,
    ...(withoutNulls(further, FURTHER) as Record<string, unknown>),
    source: decided.source,
  };
}

/** A line as its check leaves it: of these types, or `null`. */
export interface Line {
  connection: Connection;
  policies?: Policy[] | null;
  src?: Endpoint | null;
  dest?: Endpoint | null;
  count?: number | null;
  node_name?: string | null;
  last_timestamp?: string | null;
  [other: string]: unknown;
}

const FURTHER = ['last_timestamp', 'packets', 'bytes', 'src_ports', 'prefix', 'packet', 'log_type'];
const NAMES = [
  'pod_name',
  'namespace',
  'pod_namespace',
  'workload_name',
  'workload_kind',
  'node_name',
] as const;
const ENDPOINT = [...NAMES, 'instance', 'network', 'resolved_by'];
const POLICY = ['name', 'namespace', 'kind', 'tier', 'truncated'];

function connectionOf(line: Connection, { srcIp, destIp }: Decided): Connection {
  const connection = withoutNulls(line, ['src_port', 'dest_port', 'direction']);
  return {
    ...connection,
    src_ip: srcIp,
    dest_ip: destIp,
    protocol: connection.protocol.toLowerCase(),
  };
}

/** Names that came with the line stay, and say so. */
function endpointOf(line: Endpoint | null | undefined): Endpoint {
  const side = withoutNulls(line ?? {}, ENDPOINT);
  const named = NAMES.some((name) => side[name] !== undefined);
  return named && side.resolved_by === undefined ? { ...side, resolved_by: 'upstream' } : side;
}

/** An empty policy name, as of a kubelet's probe, may be left out of the line. */
function policyOf(line: Policy): Policy {
  const policy = withoutNulls(line, POLICY);
  return Object.hasOwn(policy, 'name') ? policy : { ...{ name: '' }, ...policy };
}

function withoutNulls<T extends object>(object: T, names: readonly string[]): T {
  const nulls = names.filter((name) => (object as Record<string, unknown>)[name] === null);
  if (nulls.length === 0) return object;
  return Object.fromEntries(Object.entries(object).filter(([name]) => !nulls.includes(name))) as T;
}
