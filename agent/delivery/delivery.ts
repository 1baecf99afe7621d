import type { Retry } from '../../sinks/sink.ts';
import { type Clock, systemClock } from '../clock.ts';
import { Answers } from './answers.ts';
import { type Collected, Collector } from './collect.ts';
import { Ledger } from './ledger.ts';
import { Pauses } from './pauses.ts';
import { Refusals } from './refusals.ts';
import { Requests } from './requests.ts';
import { type Shipment, Shipments } from './shipments.ts';
import type { DeliveryEvents, DeliveryOptions, DeliveryParts, DeliveryState } from './types.ts';

/**
 * Delivers the outbox to one sink; each sink has its own, and none waits for another.
 *
 * - Every record that passes the filter is sent until it is delivered or refused for good; refused records are
 *   on the disk, in the dead letters, before they are confirmed. Retries never end.
 * - Positions are confirmed in order, whatever the order of the answers. What is not confirmed when the process
 *   ends is sent again by the next one.
 * - A failure pauses the whole sink, not one batch (pauses.ts), and what failed goes first after it.
 * - What is under way is bounded in number and bytes (shipments.ts). Without work there is no timer.
 */
export class Delivery {
  readonly #events: DeliveryEvents;
  readonly #clock: Clock;
  readonly #collector: Collector;
  readonly #ledger: Ledger;
  readonly #requests: Requests;
  readonly #shipments: Shipments;
  readonly #pauses: Pauses;
  readonly #answers: Answers;
  #ageTimer: unknown;
  #isHurried = false;
  #isStopping = false;
  #isStopped = false;
  #waiting: (() => void)[] = [];

  constructor(options: DeliveryOptions, parts: DeliveryParts, clock: Clock = systemClock) {
    this.#clock = clock;
    const { source, createSink, deadLetters, events, log } = parts;
    const { name, batch, concurrency, accept } = options;
    this.#events = events;
    this.#collector = new Collector(source, source.position(name), batch, accept);
    this.#ledger = new Ledger((position, bytes) => source.acknowledge(name, position, bytes));
    this.#requests = new Requests(options, createSink, clock, log);
    this.#shipments = new Shipments(
      concurrency,
      (shipment) => this.#ship(shipment),
      () => this.wake(),
    );
    this.#pauses = new Pauses(name, options, clock, log);
    this.#answers = new Answers({
      sink: name,
      collector: this.#collector,
      ledger: this.#ledger,
      shipments: this.#shipments,
      pauses: this.#pauses,
      refusals: new Refusals(name, deadLetters, events, clock, log),
      events,
      log,
      failed: (retry) => this.#pause(retry),
    });
  }

  /** Sends what is ready to be sent. Call it at the start and after every commit. */
  wake(): void {
    if (!this.#pauses.isPausing && !this.#isStopped) this.#fill();
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
    if (this.#pauses.isPausing) this.#resume();
    await this.drain();
    this.#clock.clearTimeout(timer);
    this.#giveUp();
    await this.#settled();
    await this.#requests.closeSink();
  }

  state(): DeliveryState {
    return {
      requestsInFlight: this.#requests.count,
      bytesInFlight: this.#shipments.bytes,
      concurrency: this.#shipments.limit,
      failures: this.#pauses.failures,
    };
  }

  /** Makes batches while there is room for them. */
  #fill(): void {
    this.#clock.clearTimeout(this.#ageTimer);
    this.#ageTimer = undefined;
    while (this.#shipments.hasRoom) {
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

  #dispatch({ batch, from, to, bytesRead, filtered }: Collected): void {
    if (filtered > 0) this.#events.filtered(filtered);
    const entry = this.#ledger.open(to, bytesRead, batch ? 1 : 0);
    if (batch) this.#shipments.add({ batch, entry, from });
  }

  async #ship(shipment: Shipment): Promise<void> {
    const pause = this.#pauses.number;
    const startMs = this.#clock.now();
    const outcome = await this.#requests.send(shipment.batch);
    const durationMs = this.#clock.now() - startMs;
    this.#shipments.returned(shipment);
    this.#events.request(durationMs, outcome.kind);
    this.#answers.take({ shipment, durationMs, pause }, outcome);
  }

  #pause(retry: Retry): void {
    if (this.#isStopping) {
      this.#pauses.fail();
      this.#giveUp();
      return;
    }
    this.#shipments.pause();
    const over = () => (retry.cause === 'unauthorized' ? void this.#resumeAnew() : this.#resume());
    this.#pauses.begin(retry, over);
  }

  #resume(): void {
    this.#pauses.end();
    this.#shipments.resume();
    this.wake();
  }

  /** With a new sink, which reads its credentials again. */
  async #resumeAnew(): Promise<void> {
    await this.#shipments.settled();
    await this.#requests.closeSink();
    this.#resume();
  }

  /** Resolves when no request is under way; or a little later, for a sink that does not let go. */
  async #settled(): Promise<void> {
    let timer: unknown;
    const grace = new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(resolve, ABORT_GRACE_MS);
    });
    await Promise.race([this.#shipments.settled(), grace]);
    this.#clock.clearTimeout(timer);
  }

  #giveUp(): void {
    this.#isStopped = true;
    this.#shipments.stop();
    this.#clock.clearTimeout(this.#ageTimer);
    this.#pauses.end();
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

/** How long a request that was aborted may take to come back. */
export const ABORT_GRACE_MS = 1000;
/** When the outbox could not be read. */
const UNREADABLE_RETRY_MS = 1000;
