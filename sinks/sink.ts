/**
 * The sink contract. A sink turns one batch into one request, and its answer into an outcome. Batching,
 * order, concurrency, retries, backoff, dead letters and metrics belong to the delivery engine: a sink holds no
 * timer and no queue, and never tries twice.
 */
export interface Sink {
  /**
   * Sends one batch. Resolves with what became of every record in it; rejects only for a defect of the sink
   * itself, which the engine treats as a retry and logs. From then on nothing may read the batch's bytes any more, not
   * even the kernel: they are written over.
   * @param signal aborted when the request takes too long or the agent must stop
   */
  send(batch: Batch, signal: AbortSignal): Promise<Outcome>;
  /** Opens what `send` needs; called once, before the first batch. When it rejects, the engine tries again. */
  open?(): Promise<void>;
  /** Lets go of connections and descriptors. */
  close(): Promise<void>;
}

/**
 * A crash of the agent makes the engine send again, in the same order, at most this many bytes of records that
 * were delivered, and what was under way.
 */
export const REPEATED_BYTES_MAX = 1 << 20;

/** Records in the order of the outbox, at least one. */
export interface Batch {
  readonly count: number;
  /** Bytes of all records, with one newline each. */
  readonly bytes: number;
  /** The records one by one; made when first asked for. */
  readonly records: readonly OutgoingRecord[];
  /** The records as newline-delimited JSON, each line ended: few pieces, and nothing copied. */
  readonly ndjson: readonly Buffer[];
}

/** One record on its way out: its JSON as bytes, decoded only by who asks. */
export interface OutgoingRecord {
  /**
   * What this sink should send: the record's JSON, or text where the sink's `encoding` is one of text; UTF-8, without a
   * newline. A slice of a larger buffer: copy it to keep it.
   */
  readonly json: Buffer;
  /** The decoded record as this sink should send it, decoded once; `original()` where that is text. */
  value(): Record<string, unknown>;
  /** The record as the agent made it, as JSON: for a field or two of it, which need no decoding. */
  readonly originalJson: Buffer;
  /** The decoded record as the agent made it, with its `id` and `timestamp` whatever shape this sink's records get. */
  original(): Record<string, unknown>;
}

/** What became of a batch: what is neither refused nor in need of a retry is delivered. */
export type Outcome = Delivered | Retry | TooLarge | Rejected;

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

/**
 * The destination refuses the batch as a whole and does not say which record is at fault; the engine halves it
 * until it knows.
 */
export interface Rejected {
  readonly kind: 'rejected';
  readonly reason: string;
}

/** What a sink may use of the agent. */
export interface SinkContext {
  /** Something about the configuration that whoever runs the agent should know. */
  warn(message: string): void;
  /** Asks for a clean stop of the agent: nobody is left to send to. */
  stop(reason: string): void;
}
