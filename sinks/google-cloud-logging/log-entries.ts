import { unixNanos } from '../record-time.ts';
import { type Severity, severityOf } from '../severity.ts';
import type { OutgoingRecord } from '../sink.ts';

type Fields = Record<string, unknown>;

/** Names of the cluster that records come from. */
export interface Cluster {
  readonly projectId: string;
  readonly location: string;
  readonly clusterName: string;
}

/** An `entries:write` request, in JSON. */
export interface WriteRequest {
  readonly logName: string;
  readonly resource: Resource;
  readonly labels: Readonly<Record<string, string>>;
  /** What is wrong with one entry refuses that one alone. */
  readonly partialSuccess: true;
  readonly entries: readonly LogEntry[];
}

interface Resource {
  readonly type: 'k8s_node';
  readonly labels: Readonly<Record<string, string>>;
}

interface LogEntry {
  readonly insertId: string;
  readonly timestamp?: string;
  readonly severity: string;
  /** Where it is not the request's. */
  readonly resource?: Resource;
  readonly jsonPayload: Fields;
}

const SEVERITIES: Readonly<Record<Severity, string>> = { info: 'INFO', notice: 'NOTICE', warning: 'WARNING' };

/** The request that writes these records to a log, each about the node that it names. */
export function writeRequest(
  records: readonly OutgoingRecord[],
  cluster: Cluster,
  logId: string,
  labels: Readonly<Record<string, string>>,
): WriteRequest {
  const node = records[0]!.original().node_name;
  return {
    logName: `projects/${cluster.projectId}/logs/${encodeURIComponent(logId)}`,
    resource: resourceOf(cluster, node),
    labels,
    partialSuccess: true,
    entries: records.map((record) => {
      const original = record.original();
      const timestamp = protobufTime(original.timestamp);
      return {
        insertId: original.id as string,
        ...(timestamp !== undefined && { timestamp }),
        severity: SEVERITIES[severityOf(original)],
        ...(original.node_name !== node && { resource: resourceOf(cluster, original.node_name) }),
        jsonPayload: payload(record.value()),
      };
    }),
  };
}

function resourceOf({ projectId, location, clusterName }: Cluster, node: unknown): Resource {
  return {
    type: 'k8s_node',
    labels: {
      project_id: projectId,
      location,
      cluster_name: clusterName,
      node_name: typeof node === 'string' ? node : '',
    },
  };
}

/** A time with at most nine digits behind the point: more are refused. */
function protobufTime(timestamp: unknown): string | undefined {
  return unixNanos(timestamp) === undefined ? undefined : (timestamp as string).replace(/(\.\d{9})\d+/, '$1');
}

/** The record as GKE writes it: its time is the entry's, and a pod's namespace stands under both names. */
function payload({ id, timestamp, ...record }: Fields): Fields {
  return {
    ...record,
    ...('src' in record && { src: withBothNames(record.src) }),
    ...('dest' in record && { dest: withBothNames(record.dest) }),
  };
}

function withBothNames(end: unknown): unknown {
  // A shape may have put something else there.
  if (typeof end !== 'object' || end === null || !('pod_name' in end)) return end;
  const { namespace, pod_namespace } = end as Fields;
  const name = namespace ?? pod_namespace;
  return name === undefined ? end : { ...end, namespace: name, pod_namespace: name };
}
