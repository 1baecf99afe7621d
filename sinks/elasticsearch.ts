import type { ElasticsearchSinkOptions } from '../agent/config/sinks/elasticsearch.ts';
import { authorization } from './authorization.ts';
import { compress } from './compress.ts';
import { bulkBody } from './elasticsearch/bulk.ts';
import { BULK_FILTER, judgeItems } from './elasticsearch/bulk-answer.ts';
import { installTemplate } from './elasticsearch/install-template.ts';
import { endpoint } from './endpoint.ts';
import { HttpClient } from './http-client.ts';
import { judgeAnswer, judgeError } from './http-outcome.ts';
import type { Batch, Outcome, Sink, SinkContext } from './sink.ts';

/** An answer names what became of each record; of records that are all refused, that is this much. */
const ANSWER_BYTES_MAX = 4 << 20;

/**
 * Records as documents in Elasticsearch or OpenSearch.
 *
 * A document has its record's id and is created, never overwritten: a request that is sent again creates what is
 * missing and nothing twice. That holds within one index; a data stream that rolls over, or a date in the name of
 * records without time, begins a new one.
 *
 * A template that is asked for is installed before the first request, as part of it: records wait until that has
 * succeeded, for what an index was made without cannot be changed afterwards.
 */
export class ElasticsearchSink implements Sink {
  readonly #options: ElasticsearchSinkOptions;
  readonly #context: SinkContext;
  readonly #headers: Record<string, string>;
  readonly #bodyOf: ReturnType<typeof bulkBody>;
  #path = '';
  #client: HttpClient | undefined;
  #isReady: boolean;

  constructor(options: ElasticsearchSinkOptions, context: SinkContext) {
    // Some write the address with the path of requests, and there are others besides.
    this.#options = { ...options, url: options.url.replace(/\/_bulk\/?$/, '') };
    this.#context = context;
    const { api_key: apiKey, auth, headers } = options;
    this.#headers = {
      ...authorization(auth),
      ...(apiKey !== undefined && { authorization: `ApiKey ${encodeKey(apiKey)}` }),
      ...headers,
    };
    this.#bodyOf = bulkBody(options.index);
    this.#isReady = options.template === undefined;
  }

  async open(): Promise<void> {
    const { url, pipeline } = this.#options;
    const query = pipeline === undefined ? '' : `&pipeline=${encodeURIComponent(pipeline)}`;
    this.#path = `${new URL(endpoint(url, '/_bulk')).pathname}?${BULK_FILTER}${query}`;
    this.#client = await HttpClient.open(this.#options, this.#context);
  }

  async send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const nowMs = Date.now();
    const isPacked = this.#options.compression === 'gzip';
    try {
      if (!this.#isReady) {
        const trouble = await installTemplate(this.#client!, this.#options, this.#headers, signal);
        if (trouble) return trouble;
        this.#isReady = true;
      }
      const plain = this.#bodyOf(batch.records, nowMs);
      const answer = await this.#client!.send(
        {
          method: 'POST',
          path: this.#path,
          headers: {
            'content-type': 'application/x-ndjson',
            ...(isPacked && { 'content-encoding': 'gzip' }),
            ...this.#headers,
          },
          body: [isPacked ? await compress([plain], 'gzip') : plain],
          answerBytesMax: ANSWER_BYTES_MAX,
        },
        signal,
      );
      const trouble = judgeAnswer(answer, nowMs);
      if (trouble) return trouble;
      if (answer.isCut)
        return { kind: 'too_large', reason: 'the answer names more records than can be read' };
      return judgeItems(answer.body, batch.count);
    } catch (error) {
      return judgeError(error);
    }
  }

  async close(): Promise<void> {
    this.#client?.close();
  }
}

/** `ID:KEY` as the header wants it; what is encoded already has no colon. */
function encodeKey(key: string): string {
  return key.includes(':') ? Buffer.from(key).toString('base64') : key;
}
