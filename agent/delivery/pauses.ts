import type { Retry } from '../../sinks/sink.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../observe/log.ts';
import { type BackoffLimits, backoffMs, unauthorizedBackoffMs } from './backoff.ts';

/** How often to warn of failures that come now and then. */
const QUIET_MS = 60_000;

/**
 * The pauses of one sink: how long it is left alone after a failure, what the log is told of it, and when all is
 * well again.
 *
 * - One pause for the whole sink, longer with every failure in a row.
 * - Pauses are numbered. A request remembers the number that it began with: where another pause has begun since,
 *   its answer tells nothing new, be it good or bad.
 * - While it fails the log hears of it ever more seldom, and once more when it is over.
 */
export class Pauses {
  readonly #sink: string;
  readonly #limits: BackoffLimits;
  readonly #clock: Clock;
  readonly #log: Log;
  #number = 0;
  #failures = 0;
  #isPausing = false;
  #timer: unknown;
  #isWarned = false;
  #warnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(sink: string, limits: BackoffLimits, clock: Clock, log: Log) {
    this.#sink = sink;
    this.#limits = limits;
    this.#clock = clock;
    this.#log = log;
  }

  /** The number of the last pause. */
  get number(): number {
    return this.#number;
  }

  /** Failures in a row; 0 while all is well. */
  get failures(): number {
    return this.#failures;
  }

  get isPausing(): boolean {
    return this.#isPausing;
  }

  /** Counts a failure after which nothing more is tried. */
  fail(): void {
    this.#number++;
    this.#failures++;
  }

  /**
   * Begins a pause.
   * @param over called when its time has passed; it is over with `end`
   */
  begin({ cause, reason, afterMs }: Retry, over: () => void): void {
    this.fail();
    const isUnauthorized = cause === 'unauthorized';
    const random = this.#clock.random();
    const ms = isUnauthorized
      ? unauthorizedBackoffMs(this.#limits, random)
      : backoffMs(this.#limits, this.#failures, random, afterMs);
    this.#isPausing = true;
    this.#timer = this.#clock.setTimeout(over, ms);
    const details = { sink: this.#sink, cause, reason, retryMs: ms };
    if (isUnauthorized) {
      this.#log.error(details, 'destination refuses the credentials: they are read again for every attempt');
    } else if (this.#isWorthWarning()) {
      this.#log.warn({ ...details, failures: this.#failures }, 'cannot deliver: records wait in the outbox');
    }
  }

  /** Ends the pause, or does nothing. */
  end(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isPausing = false;
  }

  /** Something got through, in a request that began with this number. */
  recover(number: number): void {
    if (this.#failures === 0 || number !== this.#number) return;
    if (this.#isWarned) this.#log.info({ sink: this.#sink, failures: this.#failures }, 'delivers again');
    this.#isWarned = false;
    this.#failures = 0;
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
}
