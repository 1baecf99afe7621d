import type { HttpSinkOptions } from '../agent/config/sinks/http.ts';
import { compress } from './compress.ts';
import { HttpClient } from './http-client.ts';
import { judgeAnswer, judgeError } from './http-outcome.ts';
import type { Batch, Outcome, Sink, SinkContext } from './sink.ts';

/**
 * Records in the body of HTTP requests: one a line, or one JSON array.
 *
 * An answer concerns all of a batch: 2xx says that it arrived. The destination cannot tell a repeated request, so
 * a record arrives at least once; its `id` is the same every time.
 */
export class HttpSink implements Sink {
  readonly #options: HttpSinkOptions;
  readonly #context: SinkContext;
  #client: HttpClient | undefined;

  constructor(options: HttpSinkOptions, context: SinkContext) {
    this.#options = options;
    this.#context = context;
  }

  async open(): Promise<void> {
    this.#client = await HttpClient.open(this.#options, this.#context);
  }

  async send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const { method, framing, compression, headers } = this.#options;
    try {
      const plain = framing === 'newline_delimited' ? batch.ndjson : [toArray(batch)];
      const body = compression === 'none' ? plain : [await compress(plain, compression)];
      const answer = await this.#client!.send(
        {
          method,
          headers: {
            'content-type': contentType(this.#options),
            ...(compression !== 'none' && { 'content-encoding': compression }),
            ...headers,
          },
          body,
        },
        signal,
      );
      return judgeAnswer(answer, Date.now()) ?? { kind: 'delivered' };
    } catch (error) {
      return judgeError(error);
    }
  }

  async close(): Promise<void> {
    this.#client?.close();
  }
}

function contentType({ encoding: { codec }, framing }: HttpSinkOptions): string {
  if (codec === 'cef' || codec === 'template') return 'text/plain; charset=utf-8';
  return framing === 'json_array' ? 'application/json' : 'application/x-ndjson';
}

/** One JSON array. A record's JSON holds no newline, so every newline is where a comma belongs. */
function toArray(batch: Batch): Buffer {
  const array = Buffer.allocUnsafe(batch.bytes + 1);
  array[0] = 0x5b; // [
  let length = 1;
  for (const piece of batch.ndjson) length += piece.copy(array, length);
  for (let at = array.indexOf(0x0a); at >= 0; at = array.indexOf(0x0a, at + 1)) array[at] = 0x2c; // ,
  array[length - 1] = 0x5d; // ]
  return array;
}
