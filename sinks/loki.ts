import type { LokiSinkOptions } from '../agent/config/sinks/loki.ts';
import { authorization } from './authorization.ts';
import { compress } from './compress.ts';
import { endpoint } from './endpoint.ts';
import { type Answer, HttpClient } from './http-client.ts';
import { describeAnswer, judgeAnswer, judgeError } from './http-outcome.ts';
import { Streams } from './loki/streams.ts';
import type { Batch, Outcome, Sink, SinkContext } from './sink.ts';

/**
 * Records as lines in Grafana Loki, through its push API: few labels, a line that is the record's JSON, and fields to
 * search by as structured metadata.
 *
 * Of entries that are equal in stream, time, line and metadata Loki keeps one. A record's line has its id, so a request
 * that is sent again repeats nothing, as long as Loki still takes entries of that age.
 *
 * A request that Loki refuses with 400 is stored but for the entries at fault, which it does not name. It is refused
 * as a whole here: sent again in halves, what was stored is not stored twice, and what is at fault is found.
 */
export class LokiSink implements Sink {
  readonly #options: LokiSinkOptions;
  readonly #context: SinkContext;
  readonly #streams: Streams;
  #client: HttpClient | undefined;
  #isFullTold = false;

  constructor(options: LokiSinkOptions, context: SinkContext) {
    this.#options = options;
    this.#context = context;
    this.#streams = new Streams(options);
  }

  async open(): Promise<void> {
    const url = endpoint(this.#options.url, '/loki/api/v1/push');
    this.#client = await HttpClient.open({ ...this.#options, url }, this.#context);
  }

  async send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const { compression, tenant_id: tenant, auth, headers } = this.#options;
    const nowMs = Date.now();
    const streams = this.#streams.of(batch.records, `${nowMs}000000`);
    this.#tellWhenFull();
    const plain = [Buffer.from(JSON.stringify({ streams }))];
    try {
      const answer = await this.#client!.send(
        {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            ...(compression === 'gzip' && { 'content-encoding': compression }),
            ...(tenant !== undefined && { 'x-scope-orgid': tenant }),
            ...authorization(auth),
            ...headers,
          },
          body: compression === 'gzip' ? [await compress(plain, compression)] : plain,
        },
        signal,
      );
      return judgeSettings(answer) ?? judgeAnswer(answer, nowMs) ?? { kind: 'delivered' };
    } catch (error) {
      return judgeError(error);
    }
  }

  async close(): Promise<void> {
    this.#client?.close();
  }

  #tellWhenFull(): void {
    if (this.#isFullTold || !this.#streams.isFull) return;
    this.#isFullTold = true;
    const { name, streams_max: most } = this.#options;
    this.#context.warn(
      `sink ${name} has made ${most} streams: records of further ones have only the fixed labels; take a label out of label_fields, or raise streams_max`,
    );
  }
}

/** What Loki says where the settings are at fault: labels that it wants or does not want, structured metadata. */
const SETTINGS = /allow_structured_metadata|missing required labels|label names; limit|error parsing labels/;

/** A refusal of the settings would be one of every record: none is given up for it. */
function judgeSettings(answer: Answer): Outcome | undefined {
  if (answer.status !== 400 || !SETTINGS.test(answer.body)) return undefined;
  const reason = `${describeAnswer(answer)}; see labels, label_fields and structured_metadata`;
  return { kind: 'retry', cause: 'error', reason };
}
