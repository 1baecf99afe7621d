import type { Clock } from '../clock.ts';
import type { Log } from '../observe/log.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import type { DeliveryEvents } from './types.ts';

/** How often the log is told of refused records. */
const QUIET_MS = 60_000;

/** Where one sink's records go that its destination refuses for good: to the dead letters, and counted. */
export class Refusals {
  readonly #sink: string;
  readonly #deadLetters: DeadLetters;
  readonly #events: DeliveryEvents;
  readonly #clock: Clock;
  readonly #log: Log;
  #untold = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(sink: string, deadLetters: DeadLetters, events: DeliveryEvents, clock: Clock, log: Log) {
    this.#sink = sink;
    this.#deadLetters = deadLetters;
    this.#events = events;
    this.#clock = clock;
    this.#log = log;
  }

  /** @returns why the letters could not be written, if so; otherwise they are on the disk */
  bury(letters: readonly DeadLetter[]): string | undefined {
    const { path } = this.#deadLetters;
    const nowMs = this.#clock.now();
    try {
      this.#deadLetters.write(letters, nowMs);
    } catch (error) {
      return `cannot write dead letters to ${path}: ${String(error)}`;
    }
    this.#events.refused(letters.length);
    this.#untold += letters.length;
    if (nowMs - this.#toldMs >= QUIET_MS) {
      const details = { sink: this.#sink, records: this.#untold, path, reason: letters[0]!.reason };
      this.#log.warn(details, 'destination refuses records for good');
      this.#untold = 0;
      this.#toldMs = nowMs;
    }
    return undefined;
  }
}
