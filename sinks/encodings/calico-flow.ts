import type { Connection, Endpoint, FlowRecord, Policy } from '../../parsers/record.ts';

type Fields = Record<string, unknown>;

/**
 * A flow record under the names of Calico Enterprise's flow logs, as they are in its Elasticsearch: times in whole
 * seconds, null for what is not known, `-` for names that a side cannot have. What was read from such logs goes
 * out as it came. Added are `id`, and `unknown` as an action. Records that are no flows stay as they are.
 */
export function encodeCalicoFlow(record: Fields): Fields {
  return 'connection' in record ? encodeFlow(record as unknown as FlowRecord) : record;
}

function encodeFlow(record: FlowRecord): Fields {
  const { id, connection, disposition, policies, src, dest, count, node_name, timestamp, ...more } = record;
  const { last_timestamp, packets, bytes, src_ports, prefix, packet, log_type, source, ...others } = more;
  const { enforced_policies, pending_policies, ...upstream } = others;
  const { direction } = connection;
  const end = Date.parse(last_timestamp ?? timestamp);
  return {
    id,
    start_time: Math.floor(Date.parse(timestamp) / 1000),
    end_time: Math.floor(end / 1000),
    ...side('source', src, connection.src_ip, connection.src_port),
    ...side('dest', dest, connection.dest_ip, connection.dest_port),
    proto: connection.protocol,
    action: disposition,
    reporter: direction && { ingress: 'dst', egress: 'src' }[direction],
    policies:
      policies === undefined
        ? null
        : {
            all_policies: policies.map((policy, index) => policyText(policy, index, record)),
            enforced_policies,
            pending_policies,
          },
    num_flows: count,
    num_flows_started: count,
    // A denied connection is over with its first packet.
    num_flows_completed: disposition === 'deny' ? count : 0,
    ...traffic(direction, packets, bytes),
    host: node_name,
    '@timestamp': end,
    ...upstream,
  };
}

function side(
  from: 'source' | 'dest',
  side: Endpoint,
  ip: string | undefined,
  port: number | undefined,
): Fields {
  const { type, name, aggregated } = nameOf(side);
  return {
    [`${from}_ip`]: ip ?? null,
    [`${from}_name`]: name,
    [`${from}_name_aggr`]: aggregated,
    [`${from}_namespace`]: side.namespace ?? NONE,
    [`${from}_port`]: port ?? null,
    [`${from}_type`]: type,
    [`${from}_labels`]: side.labels === undefined ? null : { labels: side.labels },
  };
}

const NONE = '-';
const NETWORKS: Readonly<Record<string, string>> = { public: 'pub', private: 'pvt' };

function nameOf(side: Endpoint): { type: string; name: string; aggregated: string } {
  const { pod_name, workload_kind, node_name, workload_name, network } = side;
  if (pod_name !== undefined) {
    const aggregated = (side.aggregated_name as string | undefined) ?? groupName(side);
    return { type: 'wep', name: pod_name.endsWith('*') ? NONE : pod_name, aggregated };
  }
  if (workload_kind === 'Node' || workload_kind === 'HostEndpoint') {
    const name = node_name ?? workload_name ?? NONE;
    return { type: 'hep', name, aggregated: name };
  }
  if (network === undefined) return { type: 'net', name: NONE, aggregated: NONE };
  const aggregated = NETWORKS[network];
  return aggregated === undefined
    ? { type: 'ns', name: network, aggregated: network }
    : { type: 'net', name: NONE, aggregated };
}

/** What the pods of one owner have in common: their name up to the last part. */
function groupName({ pod_name = '', workload_name, workload_kind }: Endpoint): string {
  const isOwned = workload_name !== undefined && workload_kind !== 'Pod' && workload_name !== pod_name;
  const end = pod_name.lastIndexOf('-');
  return isOwned && end > 0 && !pod_name.endsWith('*') ? `${pod_name.slice(0, end + 1)}*` : pod_name;
}

/** Packets and bytes in and out of the side that reports, where the source did not say. */
function traffic(
  direction: Connection['direction'],
  packets: number | undefined,
  bytes: number | undefined,
): Fields {
  const [to, from] = direction === 'ingress' ? ['in', 'out'] : ['out', 'in'];
  return {
    ...(packets !== undefined && { [`packets_${to}`]: packets, [`packets_${from}`]: 0 }),
    ...(bytes !== undefined && { [`bytes_${to}`]: bytes, [`bytes_${from}`]: 0 }),
  };
}

/** `INDEX|TIER|POLICY|ACTION`, with `|RULE` where it is known. */
function policyText(policy: Policy, place: number, { disposition, source }: FlowRecord): string {
  // Of a form that we do not know, so the name is all of it.
  if (policy.tier === undefined && source.format === 'flow_log') return policy.name;
  const { index = place, tier = 'default', action = ACTIONS[disposition], rule } = policy;
  const text = `${index}|${tier}|${policyPath(policy, tier)}|${action}`;
  return rule === undefined ? text : `${text}|${rule}`;
}

const ACTIONS: Readonly<Record<string, string>> = { allow: 'allow', deny: 'deny', unknown: 'log' };

/** The policy as those logs write it before kinds were named, which all versions read. */
function policyPath({ name, namespace, kind = '' }: Policy, tier: string): string {
  const scope = namespace === undefined ? '' : `${namespace}/`;
  if (kind === 'pro') return `__PROFILE__.${name}`;
  const staged = /^s(np|gnp|knp)$/.test(kind) ? 'staged:' : '';
  const kubernetes = KUBERNETES[kind.replace(/^s(?=knp$)/, '')];
  return kubernetes === undefined
    ? `${scope}${tier}.${staged}${name}`
    : `${scope}${staged}${kubernetes}.${tier}.${name}`;
}

const KUBERNETES: Readonly<Record<string, string>> = {
  knp: 'knp',
  kanp: 'kanp',
  kbanp: 'kbanp',
  KubernetesNetworkPolicy: 'knp',
};
