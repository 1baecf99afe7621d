import PQueue from 'p-queue';
import type { Delivered, Retry, Sink } from '../../sinks/sink.ts';
import type { Log } from '../outbox/outbox.ts';
import type { RecordSource } from '../outbox/types.ts';
import { backoffMs, unauthorizedBackoffMs } from './backoff.ts';
import type { RecordBatch } from './batch.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Collected, Collector } from './collect.ts';
import { Concurrency } from './concurrency.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';
import { Requests } from './requests.ts';
import type { DeliveryEvents, DeliveryOptions, DeliveryState } from './types.ts';

/**
 * Delivers the outbox to one sink; each sink has its own, and none waits for another.
 *
 * - Every record that passes the filter is sent until it is delivered or refused for good; refused records are
 *   on the disk, in the dead letters, before they are confirmed. Retries never end.
 * - Positions are confirmed in order, whatever the order of the answers. What is not confirmed when the process
 *   ends is sent again by the next one.
 * - A failure pauses the whole sink, not one batch: one backoff, and what failed goes first after it.
 * - At most `concurrency` requests and about `BYTES_IN_FLIGHT_MAX` are under way. Without work there is no timer.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #parts: DeliveryParts;
  readonly #clock: Clock;
  readonly #queue: PQueue;
  readonly #concurrency: Concurrency;
  readonly #collector: Collector;
  readonly #ledger: Ledger;
  readonly #requests: Requests;
  #bytesInFlight = 0;
  #failures = 0;
  /** Single records that were refused since something was delivered. */
  #rejectedInRow = 0;
  /** Counts pauses: what fails after a pause began, and was sent before it, tells nothing new. */
  #pauses = 0;
  #isWarned = false;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  #refusedUntold = 0;
  #refusedToldMs = Number.NEGATIVE_INFINITY;
  #retryAtMs: number | undefined;
  #retryTimer: unknown;
  #ageTimer: unknown;
  #isHurried = false;
  #isStopping = false;
  #isStopped = false;
  #waiting: (() => void)[] = [];

  constructor(options: DeliveryOptions, parts: DeliveryParts, clock: Clock = systemClock) {
    this.#options = options;
    this.#parts = parts;
    this.#clock = clock;
    this.#concurrency = new Concurrency(options.concurrency);
    this.#queue = new PQueue({ concurrency: options.concurrency });
    this.#queue.addEventListener('next', () => this.wake());
    const { source, createSink, log } = parts;
    this.#requests = new Requests(options, createSink, clock, log);
    this.#collector = new Collector(source, source.position(options.name), options.batch, options.accept);
    this.#ledger = new Ledger((position, bytes) => source.acknowledge(options.name, position, bytes));
  }

  /** Sends what is ready to be sent. Call it at the start and after every commit. */
  wake(): void {
    if (this.#retryAtMs === undefined && !this.#isStopped) this.#fill();
  }

  /** Sends what is there without waiting for fuller batches; resolves when all of it is confirmed. */
  async drain(): Promise<void> {
    this.#isHurried = true;
    this.wake();
    if (!this.#isIdle()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#isHurried = this.#isStopping;
  }

  /**
   * Flushes until the deadline, or until an attempt fails; then gives up what is under way and closes the sink.
   * What was not confirmed stays in the outbox.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    const timer = this.#clock.setTimeout(() => this.#giveUp(), deadlineMs);
    if (this.#retryAtMs !== undefined) await this.#resume();
    await this.drain();
    this.#clock.clearTimeout(timer);
    this.#giveUp();
    await this.#settled();
    await this.#requests.closeSink();
  }

  state(): DeliveryState {
    return {
      requestsInFlight: this.#requests.count,
      bytesInFlight: this.#bytesInFlight,
      concurrency: this.#concurrency.limit,
      failures: this.#failures,
      retryAtMs: this.#retryAtMs,
    };
  }

  /** Makes batches while there is room for them. */
  #fill(): void {
    this.#clock.clearTimeout(this.#ageTimer);
    this.#ageTimer = undefined;
    while (this.#hasRoom()) {
      const next = this.#collector.next(this.#clock.now(), this.#isHurried);
      if (next === undefined) {
        if (!this.#collector.isEmpty) this.#fillLater(UNREADABLE_RETRY_MS);
        break;
      }
      if ('waitMs' in next) {
        this.#fillLater(next.waitMs);
        break;
      }
      this.#dispatch(next);
      if (next.batch === undefined) {
        // Filters can reject a whole backlog; others get their turn in between.
        this.#fillLater(0);
        break;
      }
    }
    this.#tellWaiting();
  }

  #fillLater(ms: number): void {
    this.#ageTimer = this.#clock.setTimeout(() => this.wake(), ms);
  }

  #hasRoom(): boolean {
    const requests = this.#queue.size + this.#queue.pending;
    if (requests === 0) return true;
    return requests < this.#concurrency.limit && this.#bytesInFlight < BYTES_IN_FLIGHT_MAX;
  }

  #dispatch({ batch, from, to, bytesRead, filtered }: Collected): void {
    if (filtered > 0) this.#parts.events.filtered(filtered);
    const entry = this.#ledger.open(to, bytesRead, batch ? 1 : 0);
    if (batch) this.#add({ batch, entry, from });
  }

  #add(shipment: Shipment): void {
    this.#bytesInFlight += shipment.batch.bytes;
    // What stands first in the outbox goes first, so that a retry goes before what is new.
    const added = this.#queue.add(() => this.#ship(shipment), { priority: -shipment.from });
    // Rejects only when the queue is cleared at the end.
    added.catch(() => {});
  }

  async #ship(shipment: Shipment): Promise<void> {
    const pauses = this.#pauses;
    const startMs = this.#clock.now();
    const outcome = await this.#requests.send(shipment.batch);
    const durationMs = this.#clock.now() - startMs;
    this.#bytesInFlight -= shipment.batch.bytes;
    this.#parts.events.request(durationMs, outcome.kind);
    if (outcome.kind === 'delivered') this.#settle(shipment, outcome, durationMs, pauses);
    else if (outcome.kind === 'too_large') this.#shrink(shipment, outcome.reason, pauses);
    else if (outcome.kind === 'rejected') this.#narrow(shipment, outcome.reason, pauses);
    else this.#sendAgain(shipment, outcome.cause, outcome, pauses);
  }

  #settle(shipment: Shipment, outcome: Delivered, durationMs: number, pauses: number): void {
    const { batch, entry, from } = shipment;
    const refused = outcome.refused ?? [];
    const again = new Set(outcome.again);
    let reason = outcome.reason ?? 'the destination asked for it';
    let refusedCount = refused.length;
    if (refused.length > 0) {
      const failure = this.#bury(refused.map((one) => ({ json: batch.records[one.index]!.json, ...one })));
      if (failure !== undefined) {
        // They stay ours until they are safe, at the price of another refusal.
        for (const { index } of refused) again.add(index);
        refusedCount = 0;
        reason = failure;
      }
    }
    const delivered = batch.count - refusedCount - again.size;
    if (delivered > 0) {
      this.#parts.events.delivered(delivered);
      this.#rejectedInRow = 0;
    }
    if (delivered + refusedCount > 0) this.#recover(pauses);
    if (again.size === 0) {
      this.#concurrency.succeeded(durationMs);
      this.#queue.concurrency = this.#concurrency.limit;
      this.#ledger.settle(entry);
      return;
    }
    const rest = { batch: batch.pick([...again].sort((a, b) => a - b)), entry, from };
    const { afterMs } = outcome;
    const retry = {
      kind: 'retry',
      cause: 'busy',
      reason,
      ...(afterMs !== undefined && { afterMs }),
    } as const;
    this.#sendAgain(rest, 'partial', retry, pauses);
  }

  /** The destination takes no request of this size. */
  #shrink(shipment: Shipment, reason: string, pauses: number): void {
    const { batch } = shipment;
    if (batch.count === 1) {
      this.#refuseAll(shipment, reason, pauses);
      return;
    }
    this.#collector.lowerBytesMax(batch.bytes >> 1);
    const details = { sink: this.#options.name, bytes: batch.bytes, reason };
    this.#parts.log.warn(details, 'request is too large: sending smaller ones from now on');
    this.#halve(shipment, 'too_large');
  }

  /** The destination refuses something in the batch: finds out what, unless it seems to refuse everything. */
  #narrow(shipment: Shipment, reason: string, pauses: number): void {
    const isHopeless = this.#rejectedInRow >= REJECTED_IN_ROW_MAX;
    if (shipment.batch.count > 1 && !isHopeless) {
      this.#halve(shipment, 'rejected');
      return;
    }
    this.#rejectedInRow++;
    this.#refuseAll(shipment, reason, pauses);
  }

  #refuseAll(shipment: Shipment, reason: string, pauses: number): void {
    const failure = this.#bury(shipment.batch.records.map(({ json }) => ({ json, reason })));
    if (failure !== undefined) {
      this.#sendAgain(shipment, 'error', { kind: 'retry', cause: 'error', reason: failure }, pauses);
      return;
    }
    this.#recover(pauses);
    this.#ledger.settle(shipment.entry);
  }

  #halve({ batch, entry, from }: Shipment, cause: 'too_large' | 'rejected'): void {
    this.#parts.events.retried(batch.count, cause);
    const [first, second] = batch.halves();
    entry.parts++;
    this.#add({ batch: first, entry, from });
    this.#add({ batch: second, entry, from: from + first.count });
  }

  #sendAgain(
    shipment: Shipment,
    cause: Parameters<DeliveryEvents['retried']>[1],
    retry: Retry,
    pauses: number,
  ): void {
    this.#parts.events.retried(shipment.batch.count, cause);
    // What fails after a pause began, and was sent before it, tells nothing new.
    if (pauses === this.#pauses) this.#pause(retry);
    if (!this.#isStopped) this.#add(shipment);
  }

  #pause(retry: Retry): void {
    this.#pauses++;
    this.#failures++;
    if (this.#isStopping) {
      this.#giveUp();
      return;
    }
    this.#queue.pause();
    this.#concurrency.failed();
    this.#queue.concurrency = this.#concurrency.limit;
    const isUnauthorized = retry.cause === 'unauthorized';
    const random = this.#clock.random();
    const ms = isUnauthorized
      ? unauthorizedBackoffMs(this.#options, random)
      : backoffMs(this.#options, this.#failures, random, retry.afterMs);
    this.#retryAtMs = this.#clock.now() + ms;
    this.#retryTimer = this.#clock.setTimeout(() => void this.#resume(isUnauthorized), ms);
    const details = { sink: this.#options.name, cause: retry.cause, reason: retry.reason, retryMs: ms };
    if (isUnauthorized) {
      this.#parts.log.error(
        details,
        'destination refuses the credentials: they are read again for every attempt',
      );
    } else if (this.#isWorthWarning()) {
      this.#parts.log.warn(
        { ...details, failures: this.#failures },
        'cannot deliver: records wait in the outbox',
      );
    }
  }

  /** Ever more seldom while it fails; and where it fails now and then, as when throttled, once a minute. */
  #isWorthWarning(): boolean {
    const isPowerOfTwo = (this.#failures & (this.#failures - 1)) === 0;
    const nowMs = this.#clock.now();
    if (!isPowerOfTwo || (this.#failures <= 2 && nowMs - this.#warnedAtMs < QUIET_MS)) return false;
    this.#warnedAtMs = nowMs;
    this.#isWarned = true;
    return true;
  }

  async #resume(withNewSink = false): Promise<void> {
    this.#clock.clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    if (withNewSink) {
      await this.#queue.onPendingZero();
      await this.#requests.closeSink();
    }
    this.#retryAtMs = undefined;
    this.#queue.start();
    this.wake();
  }

  /** Something got through, in a request that began after the last pause. */
  #recover(pauses: number): void {
    if (this.#failures === 0 || pauses !== this.#pauses) return;
    if (this.#isWarned) {
      this.#parts.log.info({ sink: this.#options.name, failures: this.#failures }, 'delivers again');
    }
    this.#isWarned = false;
    this.#failures = 0;
  }

  /** @returns why the letters could not be written, if so */
  #bury(letters: readonly DeadLetter[]): string | undefined {
    const { deadLetters, events, log } = this.#parts;
    try {
      deadLetters.write(letters, this.#clock.now());
    } catch (error) {
      return `cannot write dead letters to ${deadLetters.path}: ${String(error)}`;
    }
    events.refused(letters.length);
    this.#refusedUntold += letters.length;
    const nowMs = this.#clock.now();
    if (nowMs - this.#refusedToldMs >= QUIET_MS) {
      const details = { sink: this.#options.name, records: this.#refusedUntold, path: deadLetters.path };
      log.warn({ ...details, reason: letters[0]!.reason }, 'destination refuses records for good');
      this.#refusedUntold = 0;
      this.#refusedToldMs = nowMs;
    }
    return undefined;
  }

  /** Resolves when no request is under way; or a little later, for a sink that does not let go. */
  async #settled(): Promise<void> {
    let timer: unknown;
    const grace = new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(resolve, ABORT_GRACE_MS);
    });
    await Promise.race([this.#queue.onPendingZero(), grace]);
    this.#clock.clearTimeout(timer);
  }

  #giveUp(): void {
    this.#isStopped = true;
    this.#queue.pause();
    this.#queue.clear();
    this.#clock.clearTimeout(this.#ageTimer);
    this.#clock.clearTimeout(this.#retryTimer);
    this.#requests.abortAll();
    this.#tellWaiting();
  }

  #isIdle(): boolean {
    return this.#isStopped || (this.#ledger.isEmpty && this.#collector.isEmpty);
  }

  #tellWaiting(): void {
    if (this.#waiting.length === 0 || !this.#isIdle()) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
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

/** A batch on its way; `from` decides what goes first. */
interface Shipment {
  readonly batch: RecordBatch;
  readonly entry: LedgerEntry;
  readonly from: number;
}

/** No request begins while this much is under way; the one under way may be larger. */
export const BYTES_IN_FLIGHT_MAX = 16 << 20;
/** After so many single records in a row, a batch that is rejected is not taken apart any more. */
const REJECTED_IN_ROW_MAX = 8;
/** How long a request that was aborted may take to come back. */
export const ABORT_GRACE_MS = 1000;
/** How often to warn of what happens now and then. */
const QUIET_MS = 60_000;
/** When the outbox could not be read. */
const UNREADABLE_RETRY_MS = 1000;
