/**
 * The sink contract. A sink turns one batch into one request, and its answer into an outcome. Batching,
 * order, concurrency, retries, backoff, dead letters and metrics belong to the delivery engine: a sink holds no
 * timer and no queue, and never tries twice.
 */
export interface Sink {
  /**
   * Sends one batch. Resolves with what became of every record in it; rejects only for a defect of the sink
   * itself, which the engine treats as a retry and logs.
   * @param signal aborted when the request takes too long or the agent must stop
   */
  send(batch: Batch, signal: AbortSignal): Promise<Outcome>;
  /** Opens what `send` needs; called once, before the first batch. Errors are retried by the engine. */
  open?(): Promise<void>;
  /** Lets go of connections and descriptors. */
  close(): Promise<void>;
}

/** Records in the order of the outbox, at least one. */
export interface Batch {
  readonly records: readonly OutgoingRecord[];
  /** Bytes of all records, with one newline each. */
  readonly bytes: number;
}

/** One record on its way out: its JSON as bytes, decoded only by who asks. */
export interface OutgoingRecord {
  /** The record's JSON, UTF-8, without a newline. A slice of a larger buffer: copy it to keep it. */
  readonly json: Buffer;
  /** The decoded record; decoded once. */
  value(): Record<string, unknown>;
}

/** What became of a batch: what is neither refused nor in need of a retry is delivered. */
export type Outcome = Delivered | Retry | TooLarge;

export interface Delivered {
  readonly kind: 'delivered';
  /** Records that the destination will never take, by index in the batch. */
  readonly refused?: readonly Refusal[];
  /** Records to send again, by index in the batch, in order. */
  readonly again?: readonly number[];
  /** With `again`: why, for the log. */
  readonly reason?: string;
  /** With `again`: the earliest time for it, as the destination asked. */
  readonly afterMs?: number;
}

export interface Refusal {
  readonly index: number;
  readonly reason: string;
}

/** Nothing of the batch is known to have arrived: send it all again. */
export interface Retry {
  readonly kind: 'retry';
  /** `unauthorized` is retried slowly and loudly, after the secrets were read again. */
  readonly cause: 'network' | 'timeout' | 'busy' | 'unauthorized' | 'error';
  readonly reason: string;
  readonly afterMs?: number;
}

/** The destination takes no request of this size; the engine halves it. */
export interface TooLarge {
  readonly kind: 'too_large';
  readonly reason: string;
}
