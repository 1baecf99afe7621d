import { FlowLogMembers } from './flow-log-members.ts';
import { readFlowLogPolicy } from './flow-log-policy.ts';
import type { UnparsableReason } from './line.ts';
import { protocolName } from './protocols.ts';
import type { Direction, Disposition, Endpoint, FlowRecord, Policy } from './record.ts';
import { formatRfc3339 } from './time.ts';

/**
 * Turns one flow log into a record, or names what is wrong with it. Addresses and ports that were aggregated
 * away are absent; names that end in `*` stay so. `num_flows` is the record's `count`, packets and bytes of both
 * directions are added up, and all else is carried through. The record's `id` is left empty.
 */
export function flowLogRecord(
  line: Readonly<Record<string, unknown>>,
  { input, node }: { input: string; node: string },
): FlowRecord | UnparsableReason {
  const members = new FlowLogMembers(line);
  if (members.raw('action') === undefined || members.raw('reporter') === undefined) return 'not_a_record';
  const start = members.whole('start_time', SECONDS_MAX, 'no_timestamp');
  if (start === undefined) return 'no_timestamp';

  const connection = {
    src_ip: members.address('source_ip'),
    src_port: members.whole('source_port', PORT_MAX),
    dest_ip: members.address('dest_ip'),
    dest_port: members.whole('dest_port', PORT_MAX),
    protocol: protocolOf(members),
    direction: members.oneOf('reporter', DIRECTIONS),
  };
  const end = members.whole('end_time', SECONDS_MAX);
  const count = members.whole('num_flows', COUNTER_MAX) ?? 1;
  if (count === 0) members.refuse('bad_field');
  const own = {
    id: '',
    connection: present(connection),
    disposition: members.oneOf('action', DISPOSITIONS),
    policies: policiesOf(members),
    src: sideOf(members, 'source', connection.src_ip),
    dest: sideOf(members, 'dest', connection.dest_ip),
    count,
    node_name: members.text('host') ?? (node === '' ? undefined : node),
    timestamp: formatRfc3339(start * 1e6, 0),
    last_timestamp: end === undefined ? undefined : formatRfc3339(end * 1e6, 0),
    packets: total(members, 'packets_in', 'packets_out'),
    bytes: total(members, 'bytes_in', 'bytes_out'),
  };
  const further = furtherOf(members);
  if (members.reason !== undefined) return members.reason;
  return { ...present(own), ...further, source: { input, format: 'flow_log' } } as FlowRecord;
}

/** A name, or the number that a text line has. */
function protocolOf(members: FlowLogMembers): string | undefined {
  const number = /^\d+$/.test(String(members.raw('proto'))) ? members.whole('proto', 255) : undefined;
  if (number !== undefined) return protocolName(number);
  return members.text('proto')?.toLowerCase() ?? members.refuse('bad_field');
}

function policiesOf(members: FlowLogMembers): Policy[] | undefined {
  return members.list('policies', 'all_policies')?.map((text) => readFlowLogPolicy(text) ?? { name: text });
}

/** One side; `from` is `source` or `dest`. */
function sideOf(members: FlowLogMembers, from: string, ip: string | undefined): Endpoint {
  const type = members.oneOf(`${from}_type`, TYPES);
  const aggregated = members.text(`${from}_name_aggr`);
  const name = members.text(`${from}_name`) ?? aggregated;
  const namespace = members.text(`${from}_namespace`);
  const common = {
    aggregated_name: aggregated === name ? undefined : aggregated,
    labels: members.list(`${from}_labels`, 'labels'),
    resolved_by: name === undefined ? undefined : ('upstream' as const),
  };
  if (type === 'wep') return present({ pod_name: name, pod_namespace: namespace, namespace, ...common });
  if (type === 'hep') {
    return present({
      workload_name: name,
      workload_kind: 'HostEndpoint',
      namespace,
      instance: ip,
      ...common,
    });
  }
  if (type === 'ns') return present({ instance: ip, network: name, namespace, ...common });
  const network = NETWORKS.get(name ?? '') ?? name;
  return present({ instance: ip, network, namespace, ...common, resolved_by: undefined });
}

function total(members: FlowLogMembers, one: string, other: string): number | undefined {
  const a = members.whole(one, COUNTER_MAX);
  const b = members.whole(other, COUNTER_MAX);
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);
}

/** What a flow log has beyond the record's own fields, in its order. */
function furtherOf(members: FlowLogMembers): Record<string, unknown> {
  const entries = members.others(TAKEN);
  for (const entry of entries) {
    if (COUNTERS.has(entry[0])) entry[1] = members.whole(entry[0], COUNTER_MAX);
  }
  const policies = members.raw('policies');
  if (typeof policies === 'object' && !Array.isArray(policies)) {
    entries.push(...Object.entries(policies!).filter(([name]) => !TAKEN.has(name)));
  }
  return present(Object.fromEntries(entries));
}

/** Without the members that are undefined. */
function present<T extends object>(object: T): { [name in keyof T]: Exclude<T[name], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}

const DIRECTIONS: ReadonlyMap<string, Direction> = new Map([
  ['src', 'egress'],
  ['out', 'egress'],
  ['dst', 'ingress'],
  ['in', 'ingress'],
]);
const DISPOSITIONS: ReadonlyMap<string, Disposition> = new Map([
  ['allow', 'allow'],
  ['deny', 'deny'],
]);
const NETWORKS: ReadonlyMap<string, string> = new Map([
  ['pub', 'public'],
  ['pvt', 'private'],
]);
const COUNTERS = new Set([
  'num_flows_started',
  'num_flows_completed',
  'packets_in',
  'packets_out',
  'bytes_in',
  'bytes_out',
]);
/** Names that further fields cannot have: what was read already, and the record's own. */
const TAKEN = new Set([
  ...['source', 'dest'].flatMap((from) =>
    ['type', 'namespace', 'name', 'name_aggr', 'labels', 'ip', 'port'].map((what) => `${from}_${what}`),
  ),
  ...['start_time', 'end_time', 'proto', 'num_flows', 'reporter', 'action', 'host', 'all_policies'],
  ...['id', 'connection', 'disposition', 'policies', 'src', 'dest', 'count', 'node_name', 'timestamp'],
  ...['last_timestamp', 'packets', 'bytes', 'src_ports', 'prefix', 'packet', 'log_type', 'source'],
]);
const TYPES = new Map(['wep', 'hep', 'ns', 'net'].map((type) => [type, type]));
const PORT_MAX = 65_535;
const COUNTER_MAX = Number.MAX_SAFE_INTEGER / 2;
/** The last second of 2199: beyond is no date but another unit. */
const SECONDS_MAX = 7_258_118_399;
