import type { Agent, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { TlsOptions } from '../agent/config/sinks/common.ts';
import { http, loadHttps } from './node-http.ts';
import type { SinkContext } from './sink.ts';
import { readTls } from './tls.ts';

/** Most of an answer's body that is kept, unless a request asks for more; the rest is read and forgotten, to a bound. */
const KEPT_BYTES_MAX = 64 << 10;
const BODY_BYTES_MAX = 4 << 20;
/** A connection without requests is closed before most servers and load balancers would. */
const IDLE_MS_MAX = 15_000;

export interface HttpRequest {
  readonly method: string;
  /** Path and query in place of those of the client's URL. */
  readonly path?: string;
  readonly headers: Record<string, string>;
  /** Sent as they are, without being joined; not read any more once `send` has settled. */
  readonly body: readonly Buffer[];
  /** Most of the answer's body to keep, where 64 KiB are too little; at most 4 MiB. */
  readonly answerBytesMax?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The beginning of the body: as text, and as bytes. */
  readonly body: string;
  readonly bytes: Buffer;
  /** Whether the body was longer. */
  readonly isCut: boolean;
}

/** What of a sink's configuration says how to reach its server. */
export interface HttpClientOptions {
  readonly name: string;
  readonly url: string;
  /** Most connections. */
  readonly concurrency: number;
  readonly tls?: TlsOptions;
  /** Past any proxy: for a server that stands on the machine or beside it. */
  readonly isNear?: boolean;
}

/**
 * One destination's connections: kept alive, as many as requests may be under way, through the proxy that HTTP_PROXY,
 * HTTPS_PROXY and NO_PROXY name. Built on Node's own client, which costs half the memory of the alternatives.
 */
export class HttpClient {
  readonly #url: URL;
  readonly #agent: Agent;

  private constructor(url: URL, agent: Agent) {
    this.#url = url;
    this.#agent = agent;
  }

  /**
   * Reads the TLS files, and warns when the server is not to be verified.
   * @throws when a file cannot be read
   */
  static async open(
    { name, url, concurrency, tls, isNear = false }: HttpClientOptions,
    context: SinkContext,
  ): Promise<HttpClient> {
    const options = {
      keepAlive: true,
      maxSockets: concurrency,
      timeout: IDLE_MS_MAX,
      ...(!isNear && { proxyEnv: process.env }),
    };
    const parsed = new URL(url);
    if (parsed.protocol === 'http:') return new HttpClient(parsed, new http.Agent(options));
    return new HttpClient(
      parsed,
      new (loadHttps().Agent)({ ...options, ...(await readTls(name, tls, context)) }),
    );
  }

  /**
   * Sends one request and reads its answer to the end.
   * @throws errors of the network, of the protocol, and of `signal`
   */
  send({ method, path, headers, body, answerBytesMax }: HttpRequest, signal: AbortSignal): Promise<Answer> {
    // Of what ended while the request was being prepared, the signal tells nobody any more.
    if (signal.aborted) return Promise.reject(new AbortedError());
    return new Promise((resolve, reject) => {
      const length = body.reduce((sum, piece) => sum + piece.length, 0);
      const client = this.#url.protocol === 'http:' ? http : loadHttps();
      const request = client.request(this.#url, {
        method,
        ...(path !== undefined && { path }),
        agent: this.#agent,
        headers: { ...headers, 'content-length': length },
      });
      // Cheaper than the request's own `signal`, which watches the stream as well.
      const abort = () => request.destroy(new AbortedError());
      signal.addEventListener('abort', abort);
      const settle = (answer: Answer | undefined, error?: Error) => {
        signal.removeEventListener('abort', abort);
        // Answered before all was sent: what is left must not be, for the body is no longer ours.
        if (!request.writableFinished) request.destroy();
        if (answer) resolve(answer);
        else reject(error);
      };
      request.on('error', (error) => settle(undefined, error));
      request.on('response', (response) => collectAnswer(response, answerBytesMax ?? KEPT_BYTES_MAX, settle));
      request.cork();
      for (const piece of body) request.write(piece);
      request.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Thrown when the signal ended the request. */
export class AbortedError extends Error {
  override readonly name = 'AbortedError';
  constructor() {
    super('the request was given up');
  }
}

function collectAnswer(
  response: IncomingMessage,
  keptBytesMax: number,
  settle: (answer: Answer | undefined, error?: Error) => void,
): void {
  const kept: Buffer[] = [];
  let length = 0;
  const finish = () => {
    const bytes = Buffer.concat(kept);
    settle({
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: bytes.toString(),
      bytes,
      isCut: length > keptBytesMax,
    });
  };
  response.on('data', (chunk: Buffer) => {
    if (length < keptBytesMax) kept.push(chunk.subarray(0, keptBytesMax - length));
    length += chunk.length;
    if (length <= BODY_BYTES_MAX) return;
    finish();
    response.destroy();
  });
  response.on('end', finish);
  response.on('error', (error) => settle(undefined, error));
}
