import type { S3SinkOptions } from '../agent/config/sinks/s3.ts';
import { AwsClient, judgeAwsError, sha256Of } from './aws/aws-client.ts';
import { compress } from './compress.ts';
import { sendParts } from './parts.ts';
import { judgePut } from './s3/judge-put.ts';
import { objectHeaders } from './s3/object-headers.ts';
import { encodeKey, objectKey } from './s3/object-key.ts';
import { type Part, partition } from './s3/partition.ts';
import { storeUrl } from './s3/store-url.ts';
import type { Batch, Outcome, Sink, SinkContext } from './sink.ts';

const NEWLINE = Buffer.from('\n');

/**
 * Records as objects of newline-delimited JSON in an S3 bucket: one object for each hour that a batch touches, so that
 * a record is always in the folder of its own hour.
 *
 * An object's key says which records it holds, and the same records give the same bytes: a PUT that is repeated puts
 * the same object into its own place. What decides whether a record can also stand in a second object is how the
 * engine cuts batches after a crash; see docs/sinks/s3.md.
 */
export class S3Sink implements Sink {
  readonly #options: S3SinkOptions;
  readonly #context: SinkContext;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  #client: AwsClient | undefined;

  constructor(options: S3SinkOptions, context: SinkContext) {
    this.#options = options;
    this.#context = context;
    this.#url = storeUrl(options);
    this.#headers = objectHeaders(options);
  }

  async open(): Promise<void> {
    const options = { ...this.#options, url: this.#url.href, service: 's3' };
    this.#client = await AwsClient.open(options, this.#context);
  }

  send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    return sendParts(partition(batch.records), (part) => this.#put(part, batch, signal));
  }

  async close(): Promise<void> {
    this.#client?.close();
  }

  async #put({ folder, indices }: Part, batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const { compression } = this.#options;
    const records = indices.map((index) => batch.records[index]!);
    const key = objectKey(this.#options, folder, records[0]!, records.at(-1)!);
    const isWhole = records.length === batch.count;
    const plain = isWhole ? batch.ndjson : records.flatMap(({ json }) => [json, NEWLINE]);
    try {
      const body = compression === 'none' ? plain : [await compress(plain, compression)];
      const sha256 = sha256Of(body);
      const answer = await this.#client!.send(
        {
          method: 'PUT',
          path: `${this.#url.pathname}${encodeKey(key)}`,
          headers: { ...this.#headers, 'x-amz-checksum-sha256': sha256.toString('base64') },
          body,
        },
        sha256,
        signal,
      );
      return judgePut(answer, Date.now());
    } catch (error) {
      return judgeAwsError(error);
    }
  }
}
