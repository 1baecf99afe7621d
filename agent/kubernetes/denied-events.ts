import type { Endpoint, FlowRecord } from '../../parsers/record.ts';
import type { Clock } from '../clock.ts';
import type { EventWriter } from './event-writer.ts';
import type { Pods } from './pods.ts';

/** The same pod, peer and port again, and denials that are older than this, are not told. */
const AGAIN_MS = 600_000;
/** Pods, peers and ports that are remembered; at the bound the oldest are forgotten, and the writer's budget holds. */
const REMEMBERED_MAX = 10_000;

/**
 * Has an Event written on a pod of this node when its traffic was denied, so that `kubectl describe pod` explains
 * itself; at most one for the same peer and port in ten minutes.
 */
export class DeniedEvents {
  readonly #pods: Pods;
  readonly #writer: EventWriter;
  readonly #clock: Clock;
  /** When each was told last; in that order. */
  readonly #told = new Map<string, number>();

  constructor(pods: Pods, writer: EventWriter, clock: Clock) {
    this.#pods = pods;
    this.#writer = writer;
    this.#clock = clock;
  }

  /** To be called with every record of a denial. */
  denied(record: FlowRecord): void {
    const { connection } = record;
    const { direction } = connection;
    if (direction === undefined) return;
    const [own, peer] = direction === 'ingress' ? [record.dest, record.src] : [record.src, record.dest];
    if (own.pod_name === undefined || own.namespace === undefined) return;
    const pod = this.#pods.local(own.namespace, own.pod_name);
    const nowMs = this.#clock.now();
    if (pod === undefined || Math.abs(nowMs - Date.parse(record.timestamp)) > AGAIN_MS) return;
    const peerIp = direction === 'ingress' ? connection.src_ip : connection.dest_ip;
    const port = connection.dest_port === undefined ? '' : ` port ${connection.dest_port}`;
    const what = `${connection.protocol}${port}`;
    const key = `${pod.uid} ${direction} ${peerIp} ${what}`;
    const toldMs = this.#told.get(key);
    if (toldMs !== undefined && Math.abs(nowMs - toldMs) < AGAIN_MS) return;
    const { name, namespace } = pod.holder;
    const isTaken = this.#writer.emit({
      regarding: { kind: 'Pod', apiVersion: 'v1', name, namespace, uid: pod.uid },
      type: 'Warning',
      reason: 'NetworkPolicyDenied',
      message: messageOf(record, direction, what, nameOf(peer, peerIp)),
    });
    if (isTaken) this.#remember(key, nowMs);
  }

  #remember(key: string, nowMs: number): void {
    this.#told.delete(key);
    this.#told.set(key, nowMs);
    if (this.#told.size > REMEMBERED_MAX) this.#told.delete(this.#told.keys().next().value!);
  }
}

function messageOf(record: FlowRecord, direction: string, what: string, peer: string): string {
  const way = direction === 'ingress' ? `ingress from ${peer}, ${what},` : `egress to ${peer}, ${what},`;
  const candidates = (record.candidate_policies ?? []).map(({ name }) => name);
  const selecting = candidates.length === 0 ? '' : `; policies that select the pod: ${candidates.join(', ')}`;
  return `${way} was denied${selecting}`;
}

function nameOf(side: Endpoint, ip: string | undefined): string {
  const name = side.pod_name ?? side.workload_name;
  if (name !== undefined && side.namespace !== undefined) return `${side.namespace}/${name} (${ip})`;
  if (side.node_name !== undefined) return `node ${side.node_name} (${ip})`;
  return `${ip ?? side.instance}`;
}
