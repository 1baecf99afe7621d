import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsAuthOptions } from '../../agent/config/sinks/aws.ts';
import { type Answer, HttpClient, type HttpClientOptions } from '../http-client.ts';
import { judgeError } from '../http-outcome.ts';
import type { Retry, SinkContext } from '../sink.ts';
import { credentialSource } from './credential-source.ts';
import { KeptCredentials } from './credentials.ts';

export interface AwsRequest {
  readonly method: string;
  /** Absolute, each segment encoded as RFC 3986 has it; without a query. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: readonly Buffer[];
}

export interface AwsClientOptions extends HttpClientOptions, AwsAuthOptions {
  /** As signatures name it: `s3`, `logs`. */
  readonly service: string;
}

/** Requests to one AWS service: signed (Signature Version 4) with credentials that it keeps fresh. */
export class AwsClient {
  readonly #http: HttpClient;
  readonly #signer: SignatureV4;
  readonly #url: URL;

  private constructor(
    { url, region, service }: AwsClientOptions,
    http: HttpClient,
    credentials: KeptCredentials,
  ) {
    this.#http = http;
    this.#url = new URL(url);
    this.#signer = new SignatureV4({
      service,
      region,
      sha256: Sha256,
      credentials: () => credentials.get(Date.now()),
      // S3 takes the path as it stands; others want it encoded once more.
      uriEscapePath: service !== 's3',
    });
  }

  /** @throws when a TLS file cannot be read */
  static async open(options: AwsClientOptions, context: SinkContext): Promise<AwsClient> {
    const source = await credentialSource(options, (message) =>
      context.warn(`sink ${options.name}: ${message}`),
    );
    return new AwsClient(options, await HttpClient.open(options, context), new KeptCredentials(source));
  }

  /**
   * Signs and sends one request.
   * @param sha256 of the body
   * @throws what `judgeAwsError` judges
   */
  async send(request: AwsRequest, sha256: Buffer, signal: AbortSignal): Promise<Answer> {
    const { method, path, headers, body } = request;
    const { protocol, hostname, host } = this.#url;
    const unsigned = { ...headers, host, 'x-amz-content-sha256': sha256.toString('hex') };
    const signed = await this.#signer
      .sign({ method, protocol, hostname, path, query: {}, headers: unsigned })
      .catch((error: unknown) => {
        throw new NoCredentialsError(error);
      });
    return this.#http.send({ method, path, headers: signed.headers, body }, signal);
  }

  close(): void {
    this.#http.close();
  }
}

/** What an error of `AwsClient.send` means: of the credentials, the network, or its signal. */
export function judgeAwsError(error: unknown): Retry {
  if (!(error instanceof NoCredentialsError)) return judgeError(error);
  return { kind: 'retry', cause: 'unauthorized', reason: error.message };
}

/** There are no credentials to sign with. */
class NoCredentialsError extends Error {
  constructor(cause: unknown) {
    super(`no AWS credentials: ${(cause as Error).message}`, { cause });
  }
}

/** What of a body the signature names. */
export function sha256Of(body: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const piece of body) hash.update(piece);
  return hash.digest();
}

/** Node's hash in the form that the signer takes. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    // The signer gives its secrets as text and as what a digest was.
    const key = secret as string | Uint8Array | undefined;
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('the signer makes a new hash each time');
  }
}
