import type { Endpoint } from '../../parsers/record.ts';

/** What controls a pod. One object for all the pods of a workload. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
  /** What controls it in turn, as a Deployment a ReplicaSet; records name that in its place. */
  controller?: Workload;
}

export type Labels = Readonly<Record<string, string>>;

/** Somebody who can have an address. Few fields, for there may be 100,000 of them. */
export type Holder = PodHolder | NodeHolder | ServiceHolder;

export interface PodHolder {
  readonly kind: 'pod';
  readonly name: string;
  readonly namespace: string;
  workload: Workload | undefined;
  /** The labels that records carry. */
  labels: Labels | undefined;
}

export interface NodeHolder {
  readonly kind: 'node';
  readonly name: string;
}

export interface ServiceHolder {
  readonly kind: 'service';
  readonly name: string;
  readonly namespace: string;
}

/** Who it was, and how that was found. */
export interface Found {
  readonly holder: Holder;
  readonly by: 'interface' | 'ip';
  /** The times, both included, at which it is known to be true; undefined: always. */
  readonly claim: { readonly fromUs: number; readonly untilUs: number } | undefined;
}

/** The side of a record that a holder is, in GKE's names and order. A new object. */
export function sideOf(holder: Holder, resolvedBy: 'interface' | 'ip'): Endpoint {
  const { name } = holder;
  if (holder.kind === 'node') return { node_name: name, workload_kind: 'Node', resolved_by: resolvedBy };
  const { namespace } = holder;
  if (holder.kind === 'service') {
    return { namespace, workload_name: name, workload_kind: 'Service', resolved_by: resolvedBy };
  }
  const side: Endpoint = { pod_name: name, namespace, pod_namespace: namespace };
  const workload = holder.workload?.controller ?? holder.workload;
  if (workload !== undefined) {
    side.workload_name = workload.name;
    side.workload_kind = workload.kind;
  }
  if (holder.labels !== undefined) side.labels = holder.labels;
  side.resolved_by = resolvedBy;
  return side;
}

/** Whether records name both the same. */
export function isSameHolder(one: Holder, other: Holder): boolean {
  if (one === other) return true;
  if (one.kind !== other.kind || one.name !== other.name) return false;
  return one.kind === 'node' || one.namespace === (other as PodHolder | ServiceHolder).namespace;
}
