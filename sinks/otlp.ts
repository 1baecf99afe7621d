import type { OtlpSinkOptions } from '../agent/config/sinks/otlp.ts';
import { authorization } from './authorization.ts';
import { compress } from './compress.ts';
import { endpoint } from './endpoint.ts';
import { HttpClient } from './http-client.ts';
import { judgeError } from './http-outcome.ts';
import { judgeLogsAnswer } from './otlp/answer.ts';
import { logsRequest } from './otlp/logs.ts';
import { encodeLogs } from './otlp/protobuf.ts';
import type { Batch, Outcome, Sink, SinkContext } from './sink.ts';

/**
 * Records as OpenTelemetry logs, by OTLP over HTTP: the record's JSON as the body, its fields as attributes.
 *
 * The protocol cannot tell a request that is sent again: a record arrives at least once, each time with the same
 * `log.record.uid`.
 */
export class OtlpSink implements Sink {
  readonly #options: OtlpSinkOptions;
  readonly #context: SinkContext;
  #client: HttpClient | undefined;

  constructor(options: OtlpSinkOptions, context: SinkContext) {
    this.#options = options;
    this.#context = context;
  }

  async open(): Promise<void> {
    const url = endpoint(this.#options.url, '/v1/logs');
    this.#client = await HttpClient.open({ ...this.#options, url }, this.#context);
  }

  async send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const { protocol, compression, auth, headers, resource_attributes: resource } = this.#options;
    const nowMs = Date.now();
    const request = logsRequest(batch.records, resource, `${nowMs}000000`);
    const isJson = protocol === 'http/json';
    const plain = [isJson ? Buffer.from(JSON.stringify(request)) : encodeLogs(request)];
    try {
      const answer = await this.#client!.send(
        {
          method: 'POST',
          headers: {
            'content-type': isJson ? 'application/json' : 'application/x-protobuf',
            ...(compression === 'gzip' && { 'content-encoding': compression }),
            ...authorization(auth),
            ...headers,
          },
          body: compression === 'gzip' ? [await compress(plain, compression)] : plain,
        },
        signal,
      );
      return judgeLogsAnswer(answer, batch.count, nowMs);
    } catch (error) {
      return judgeError(error);
    }
  }

  async close(): Promise<void> {
    this.#client?.close();
  }
}
