/**
 * The record: what every input is turned into. GKE's policy-action JSON is the canonical form; what is added
 * never contradicts it. `schema/record.schema.json` is the same in JSON Schema.
 *
 * A field that the source does not give is absent: never null, never guessed.
 */

/** `unknown`: the source gives no verdict, as a Calico `Log` rule does not. */
export const DISPOSITIONS = ['allow', 'deny', 'unknown'] as const;
export type Disposition = (typeof DISPOSITIONS)[number];
export type Direction = 'ingress' | 'egress';

/** One connection, in GKE's names. Addresses are in canonical text form (RFC 5952 for IPv6). */
export interface Connection {
  /** Absent only where a flow log has aggregated the address away. */
  src_ip?: string;
  src_port?: number;
  /** As `src_ip`. */
  dest_ip?: string;
  dest_port?: number;
  /** Lower-case name (`tcp`, `icmpv6`, …), or the protocol's number as text. */
  protocol: string;
  /** Absent where it cannot be known, as from pod to pod on one node. */
  direction?: Direction;
}

/** One side of a connection. Fields that a source adds beyond these are carried through. */
export interface Endpoint {
  pod_name?: string;
  namespace?: string;
  /** Deprecated by GKE; the same value as `namespace`. */
  pod_namespace?: string;
  workload_name?: string;
  workload_kind?: string;
  /** The address of what is neither a pod nor a node. */
  instance?: string;
  /** With `instance`: `private`, `public`, or the name of a network set. */
  network?: string;
  node_name?: string;
  /** Those of a pod that are asked for; in the words of the source, where that gives them. */
  labels?: Readonly<Record<string, string>> | readonly string[];
  resolved_by?: 'interface' | 'ip' | 'upstream';
  [extra: string]: unknown;
}

/** A policy that decided or logged. */
export interface Policy {
  name: string;
  namespace?: string;
  kind?: string;
  tier?: string;
  /** The prefix that names it was cut, so `name` is only its beginning. */
  truncated?: boolean;
  [extra: string]: unknown;
}

/** Which input and which format a record came from. */
export interface Source {
  input: string;
  format: string;
}

/** What the kernel said of the packet beyond the connection; numbers as numbers, flags as booleans. */
export interface Packet {
  in?: string;
  out?: string;
  physin?: string;
  physout?: string;
  [field: string]: unknown;
}

/** One flow: one connection, or the retries of one denied connection in one window. */
export interface FlowRecord {
  /** The same whenever the same lines are read again. */
  id: string;
  connection: Connection;
  disposition: Disposition;
  policies?: Policy[];
  /** Policies that select the pod in that direction and may be why it was denied; none of them is known to be. */
  candidate_policies?: Policy[];
  src: Endpoint;
  dest: Endpoint;
  /** Connections that the record stands for, at least 1. */
  count: number;
  node_name?: string;
  /** RFC 3339, UTC, with all the digits of the source. */
  timestamp: string;
  last_timestamp?: string;
  packets?: number;
  bytes?: number;
  /** A bounded sample of the merged connections' source ports, first seen first. */
  src_ports?: number[];
  prefix?: string;
  packet?: Packet;
  log_type?: string;
  source: Source;
  [extra: string]: unknown;
}

/** What decides which connections are merged: of a record, what the fields of `aggregate.key` are read from. */
export type MergeFields = Pick<FlowRecord, 'connection' | 'disposition' | 'prefix'> &
  /** Read only where the connection has no address. */
  Partial<Pick<FlowRecord, 'src' | 'dest'>>;

/** A line of an input that is shipped as it is (`format: json` or `text`). */
export interface LogRecord {
  id: string;
  log_type: string;
  timestamp?: string;
  node_name?: string;
  /** The line as text, for `format: text`. */
  message?: string;
  /** The line's object, for `format: json`. */
  body?: unknown;
  source: Source;
}

/**
 * The in-band report of what a stage had to drop since its last report. It stands for no line.
 * `timestamp` and `last_timestamp` are the times of the first and the last dropped event.
 */
export interface SummaryRecord {
  id: string;
  log_type: 'summary';
  node_name?: string;
  timestamp: string;
  last_timestamp: string;
  /** Dropped connections by reason and disposition. */
  dropped: {
    rate_limit?: Partial<Record<Disposition, number>>;
    aggregation_limit?: Partial<Record<Disposition, number>>;
  };
  source: { input: 'agent'; format: 'summary' };
}
