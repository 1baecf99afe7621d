import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { SplunkHecSinkOptions } from '../agent/config/sinks/splunk-hec.ts';
import { compress } from './compress.ts';
import { endpoint } from './endpoint.ts';
import { type Answer, HttpClient } from './http-client.ts';
import { describeAnswer, judgeAnswer, judgeError } from './http-outcome.ts';
import type { Batch, Outcome, Retry, Sink, SinkContext } from './sink.ts';
import { eventsBody } from './splunk-hec/events.ts';
import { judgeEvents, readAck } from './splunk-hec/hec-answer.ts';

/** People write the address with a path that they know, or without. */
const COLLECTOR_PATH = /\/services\/collector(\/[a-z./0-9]*)?$/;
/** The pause between two questions doubles until it is so many times the first. */
const POLL_FACTOR_MAX = 8;

/**
 * Records as events, through Splunk's HTTP Event Collector.
 *
 * - An answer says that events were accepted: what an indexer loses before it has written them is lost. Where the
 *   token has indexer acknowledgement, a request is over only when its events are acknowledged as indexed, and is
 *   sent again when they are not in time. Splunk cannot tell a repeated event: it arrives at least once.
 * - Acknowledgements are numbered within a channel, and a collector that was restarted begins anew with 0. So after
 *   any failure the next requests use another channel: a number that is asked for is never a later request's.
 */
export class SplunkHecSink implements Sink {
  readonly #options: SplunkHecSinkOptions;
  readonly #context: SinkContext;
  readonly #bodyOf: ReturnType<typeof eventsBody>;
  readonly #eventPath: string;
  readonly #ackPath: string;
  #client: HttpClient | undefined;
  #channel: string = randomUUID();

  constructor(options: SplunkHecSinkOptions, context: SinkContext) {
    this.#options = options;
    this.#context = context;
    this.#bodyOf = eventsBody(options);
    const base = options.url.replace(COLLECTOR_PATH, '');
    this.#eventPath = new URL(endpoint(base, '/services/collector/event')).pathname;
    this.#ackPath = new URL(endpoint(base, '/services/collector/ack')).pathname;
  }

  async open(): Promise<void> {
    this.#client = await HttpClient.open(this.#options, this.#context);
  }

  async send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const outcome = await this.#send(batch, signal);
    if (outcome.kind === 'retry') this.#channel = randomUUID();
    return outcome;
  }

  async close(): Promise<void> {
    this.#client?.close();
  }

  async #send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const { compression, acknowledgement } = this.#options;
    const channel = this.#channel;
    const plain = this.#bodyOf(batch.records);
    try {
      const isPacked = compression === 'gzip';
      const body = isPacked ? await compress([plain], compression) : plain;
      const answer = await this.#post(this.#eventPath, channel, body, signal, isPacked);
      const judged = judgeEvents(answer, batch.count, Date.now());
      if (judged.kind !== 'accepted') return judged;
      if (judged.ackId === undefined || !acknowledgement.enabled) return { kind: 'delivered' };
      return (await this.#acknowledged(judged.ackId, channel, signal)) ?? { kind: 'delivered' };
    } catch (error) {
      return judgeError(error);
    }
  }

  /** Resolves with nothing when the events are indexed. @throws when the signal aborts */
  async #acknowledged(ackId: number, channel: string, signal: AbortSignal): Promise<Retry | undefined> {
    const { poll_interval: intervalMs } = this.#options.acknowledgement;
    const question = Buffer.from(JSON.stringify({ acks: [ackId] }));
    for (let factor = 1; ; factor = Math.min(2 * factor, POLL_FACTOR_MAX)) {
      await pause(factor * intervalMs, undefined, { signal });
      const answer = await this.#post(this.#ackPath, channel, question, signal, false);
      const isThere = readAck(answer, ackId);
      if (isThere) return undefined;
      if (isThere === false) continue;
      const judged = judgeAnswer(answer, Date.now());
      if (judged?.kind === 'retry') return judged;
      const reason = `cannot learn whether events are indexed: ${describeAnswer(answer)}`;
      return { kind: 'retry', cause: 'error', reason };
    }
  }

  #post(
    path: string,
    channel: string,
    body: Buffer,
    signal: AbortSignal,
    isPacked: boolean,
  ): Promise<Answer> {
    const { token, headers } = this.#options;
    return this.#client!.send(
      {
        method: 'POST',
        path,
        headers: {
          'content-type': 'application/json',
          ...(isPacked && { 'content-encoding': 'gzip' }),
          authorization: `Splunk ${token}`,
          'x-splunk-request-channel': channel,
          ...headers,
        },
        body: [body],
      },
      signal,
    );
  }
}
