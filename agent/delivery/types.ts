import type { Outcome, OutgoingRecord, Retry, Sink } from '../../sinks/sink.ts';
import type { Log } from '../observe/log.ts';
import type { RecordSource } from '../outbox/types.ts';
import type { BatchLimits } from './collect.ts';
import type { DeadLetters } from './dead-letters.ts';

/** How one sink is served. */
export interface DeliveryOptions {
  /** The sink's name in the configuration, the outbox, logs and metrics. */
  readonly name: string;
  readonly batch: BatchLimits;
  /** Most requests under way at once; 1 keeps the records' order. */
  readonly concurrency: number;
  /** Absent for a sink that cannot hang. */
  readonly requestTimeoutMs?: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** Which records this sink gets; absent: all. */
  readonly accept?: (record: OutgoingRecord) => boolean;
}

/** What a delivery works with. */
export interface DeliveryParts {
  readonly source: RecordSource;
  /** Makes the sink, with secrets as they are now; called again after credentials were refused. */
  readonly createSink: () => Promise<Sink>;
  readonly deadLetters: DeadLetters;
  readonly events: DeliveryEvents;
  readonly log: Log;
}

/** Told of everything that counts, for the metrics; called synchronously, and must not throw. */
export interface DeliveryEvents {
  delivered(records: number): void;
  /** Records that will be sent again. */
  retried(records: number, cause: Retry['cause'] | 'partial' | 'too_large' | 'rejected'): void;
  /** Records that went to the dead letters. */
  refused(records: number): void;
  /** Records that this sink does not get. */
  filtered(records: number): void;
  /** One request came back, or was given up. */
  request(durationMs: number, outcome: Outcome['kind']): void;
}

/** What one sink is doing now, for gauges. */
export interface DeliveryState {
  readonly requestsInFlight: number;
  readonly bytesInFlight: number;
  /** Requests that may be under way at once, as the destination bears it. */
  readonly concurrency: number;
  /** Failures in a row; 0 while all is well. */
  readonly failures: number;
}
