import PQueue from 'p-queue';
import type { RecordBatch } from './batch.ts';
import { Concurrency } from './concurrency.ts';
import type { LedgerEntry } from './ledger.ts';

/** No request begins while this much is under way; the one under way may be larger. */
const BYTES_IN_FLIGHT_MAX = 16 << 20;

/** A batch on its way; `from`, the position of its first record, decides what goes first. */
export interface Shipment {
  readonly batch: RecordBatch;
  readonly entry: LedgerEntry;
  readonly from: number;
}

/**
 * The shipments of one sink that are under way or next in turn: as many at once as the destination bears, what
 * stands first in the outbox first, so that a retry goes before what is new.
 */
export class Shipments {
  readonly #queue: PQueue;
  readonly #concurrency: Concurrency;
  readonly #ship: (shipment: Shipment) => Promise<void>;
  #bytes = 0;
  #isStopped = false;

  /**
   * @param concurrencyMax most that may be under way at once
   * @param ship sends one; must not reject
   * @param next called whenever one is done
   */
  constructor(concurrencyMax: number, ship: (shipment: Shipment) => Promise<void>, next: () => void) {
    this.#concurrency = new Concurrency(concurrencyMax);
    this.#queue = new PQueue({ concurrency: concurrencyMax });
    this.#queue.addEventListener('next', next);
    this.#ship = ship;
  }

  /** Bytes of records that are here. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many may be under way at once, as the destination bears it. */
  get limit(): number {
    return this.#concurrency.limit;
  }

  /** Whether another one should be made. */
  get hasRoom(): boolean {
    const count = this.#queue.size + this.#queue.pending;
    if (count === 0) return true;
    return count < this.limit && this.#bytes < BYTES_IN_FLIGHT_MAX;
  }

  add(shipment: Shipment): void {
    if (this.#isStopped) return;
    this.#bytes += shipment.batch.bytes;
    const added = this.#queue.add(() => this.#ship(shipment), { priority: -shipment.from });
    // Rejects only when the queue is cleared at the end.
    added.catch(() => {});
  }

  /** The answer is there: its bytes are under way no more. */
  returned({ batch }: Shipment): void {
    this.#bytes -= batch.bytes;
  }

  /** One went well. */
  succeeded(durationMs: number): void {
    this.#concurrency.succeeded(durationMs);
    this.#queue.concurrency = this.limit;
  }

  /** One failed: none is begun until `resume`, and then fewer at once. */
  pause(): void {
    this.#queue.pause();
    this.#concurrency.failed();
    this.#queue.concurrency = this.limit;
  }

  resume(): void {
    this.#queue.start();
  }

  /** Begins none any more: forgets those that wait, and those that are added. */
  stop(): void {
    this.#isStopped = true;
    this.#queue.pause();
    this.#queue.clear();
  }

  /** Resolves when none is under way. */
  settled(): Promise<void> {
    return this.#queue.onPendingZero();
  }
}
