import type { Endpoint, FlowRecord } from '../../parsers/record.ts';
import { isNamed } from './enrich.ts';

/** Stands for all the addresses, or all the names with that beginning. */
const MANY = '*';

/**
 * What is left of a record when it stands for all connections between the same pods, or the same workloads: no
 * source port, no packet, and nothing else that another of these connections could have different. What
 * a coarse record says holds for everything that it counts.
 *
 * - `pod`: pods and nodes go by their names and lose their addresses; what has no name goes by its address.
 * - `workload`: the pods of a workload are one side, named `WORKLOAD-*`; what has no name goes by its network,
 *   as `instance: "*"`, without address.
 *
 * A coarse record made coarse again is the same.
 */
export function coarsen(record: FlowRecord, level: 'pod' | 'workload'): FlowRecord {
  const { connection } = record;
  const src = level === 'pod' ? onePod(record.src) : oneWorkload(record.src);
  const dest = level === 'pod' ? onePod(record.dest) : oneWorkload(record.dest);
  return withoutAbsent({
    id: record.id,
    connection: withoutAbsent({
      src_ip: keepsAddress(src) ? connection.src_ip : undefined,
      dest_ip: keepsAddress(dest) ? connection.dest_ip : undefined,
      dest_port: connection.dest_port,
      protocol: connection.protocol,
      direction: connection.direction,
    }),
    disposition: record.disposition,
    policies: record.policies,
    candidate_policies: record.candidate_policies,
    src,
    dest,
    count: record.count,
    node_name: record.node_name,
    timestamp: record.timestamp,
    prefix: record.prefix,
    log_type: record.log_type,
    source: record.source,
  }) as FlowRecord;
}

/** The merge key of a coarse record: all that it says but its first connection's id and time, and the count. */
export function coarseKey(record: FlowRecord): string {
  const { id: _, timestamp: __, count: ___, ...said } = record;
  return JSON.stringify(said);
}

/** A side without a name has its address as its name. */
function keepsAddress(side: Endpoint): boolean {
  return !isNamed(side) && side.instance !== MANY;
}

function onePod(side: Endpoint): Endpoint {
  const { pod_name, namespace, pod_namespace, workload_name, workload_kind, instance, network, node_name } =
    side;
  const kept = {
    pod_name,
    namespace,
    pod_namespace,
    workload_name,
    workload_kind,
    instance,
    network,
    node_name,
  };
  return withoutAbsent({ ...kept, labels: side.labels, resolved_by: side.resolved_by });
}

function oneWorkload(side: Endpoint): Endpoint {
  const kept = onePod(side);
  if (kept.workload_name !== undefined && kept.pod_name !== undefined)
    kept.pod_name = `${kept.workload_name}-*`;
  if (!isNamed(kept) && kept.network !== undefined) kept.instance = MANY;
  return kept;
}

/** A field that is there and undefined is not the same as an absent one to a key, nor to a reader of the type. */
function withoutAbsent<T extends object>(fields: T): { [name in keyof T]: Exclude<T[name], undefined> } {
  for (const name of Object.keys(fields) as (keyof T)[]) if (fields[name] === undefined) delete fields[name];
  return fields as { [name in keyof T]: Exclude<T[name], undefined> };
}
