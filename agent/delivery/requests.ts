import type { Outcome, Sink } from '../../sinks/sink.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../observe/log.ts';
import type { RecordBatch } from './batch.ts';
import type { DeliveryOptions } from './types.ts';

/**
 * Makes the requests of one sink, each with its time limit, and holds the sink: made before the first request, and
 * made anew after `closeSink`. Whatever a sink throws is an outcome.
 */
export class Requests {
  readonly #createSink: () => Promise<Sink>;
  readonly #name: string;
  readonly #timeoutMs: number | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #open = new Set<AbortController>();
  #sink: Promise<Sink> | undefined;

  constructor(options: DeliveryOptions, createSink: () => Promise<Sink>, clock: Clock, log: Log) {
    this.#name = options.name;
    this.#timeoutMs = options.requestTimeoutMs;
    this.#createSink = createSink;
    this.#clock = clock;
    this.#log = log;
  }

  /** Requests under way. */
  get count(): number {
    return this.#open.size;
  }

  async send(batch: RecordBatch): Promise<Outcome> {
    const controller = new AbortController();
    this.#open.add(controller);
    let isTimeout = false;
    const timer =
      this.#timeoutMs !== undefined &&
      this.#clock.setTimeout(() => {
        isTimeout = true;
        controller.abort();
      }, this.#timeoutMs);
    let outcome: Outcome;
    try {
      this.#sink ??= this.#make();
      outcome = await (await this.#sink).send(batch, controller.signal);
    } catch (error) {
      outcome = { kind: 'retry', cause: 'error', reason: String(error) };
    } finally {
      if (timer !== false) this.#clock.clearTimeout(timer);
      this.#open.delete(controller);
    }
    if (outcome.kind !== 'retry' || !isTimeout) return outcome;
    return { kind: 'retry', cause: 'timeout', reason: `no answer within ${this.#timeoutMs} ms` };
  }

  abortAll(): void {
    for (const request of this.#open) request.abort();
  }

  /** Closes the sink; the next request makes a new one. */
  async closeSink(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    try {
      await (await sink)?.close();
    } catch (error) {
      this.#log.warn({ sink: this.#name, reason: String(error) }, 'cannot close the sink');
    }
  }

  async #make(): Promise<Sink> {
    try {
      const sink = await this.#createSink();
      await sink.open?.();
      return sink;
    } catch (error) {
      this.#sink = undefined;
      throw error;
    }
  }
}
