import { readFileSync } from 'node:fs';
import type { Agent, IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { http, loadHttps } from '../../sinks/node-http.ts';

/** A connection on which nothing comes for so long while an answer is due is given up. */
const SILENT_MS_MAX = 30_000;
/** Probes of a silent connection: a watch may be silent for minutes. */
const PROBE_MS = 30_000;

export interface ApiAccess {
  /** https://HOST:PORT */
  readonly url: string;
  /** May be missing: then nobody is claimed to be asking. */
  readonly tokenFile: string;
  /** Of the authority that signed the API server's certificate; missing: those that Node.js trusts. */
  readonly caFile: string;
}

/** How the API server is asked; what is above it knows no HTTP. */
export interface Api {
  /**
   * @param silentMsMax how long the answer may pause
   * @throws errors of the network and of `signal`
   */
  get(path: string, accept: string, signal: AbortSignal, silentMsMax?: number): Promise<ApiAnswer>;
  post(path: string, body: object, signal: AbortSignal): Promise<ApiAnswer>;
}

export interface ApiAnswer {
  readonly status: number;
  /** The server's time, ms since the epoch, in whole seconds. */
  readonly serverMs: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** Must be read to its end, or destroyed. */
  readonly body: Readable;
}

/** What was asked of the API server. */
export interface ApiUse {
  readonly requests: number;
  /** Bytes of the answers' bodies, as they came over the network. */
  readonly bytes: number;
}

/**
 * Asks the API server, as the service account that the pod runs as. Token and CA are read again with every request,
 * for both are rotated in place; requests are few. Answers may come compressed. Inert until the first request.
 *
 * Node's own HTTP client and this much code, for a watch needs no more: a full client library brings the types of the
 * whole API and costs more memory than all the rest of the agent.
 */
export class ApiClient implements Api {
  readonly #access: ApiAccess;
  readonly #url: URL;
  readonly #isPlain: boolean;
  #agent: Agent | undefined;
  #ca: string | undefined;
  #requests = 0;
  #bytes = 0;

  constructor(access: ApiAccess) {
    this.#access = access;
    this.#url = new URL(access.url);
    this.#isPlain = this.#url.protocol === 'http:';
  }

  get use(): ApiUse {
    return { requests: this.#requests, bytes: this.#bytes };
  }

  get(path: string, accept: string, signal: AbortSignal, silentMsMax = SILENT_MS_MAX): Promise<ApiAnswer> {
    return this.#request('GET', path, { accept, 'accept-encoding': 'gzip' }, undefined, signal, silentMsMax);
  }

  post(path: string, body: object, signal: AbortSignal): Promise<ApiAnswer> {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    return this.#request('POST', path, headers, JSON.stringify(body), signal, SILENT_MS_MAX);
  }

  close(): void {
    this.#agent?.destroy();
  }

  #request(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | undefined,
    signal: AbortSignal,
    silentMsMax: number,
  ): Promise<ApiAnswer> {
    this.#requests += 1;
    const token = readIfThere(this.#access.tokenFile)?.trim();
    const agent = this.#currentAgent();
    return new Promise((resolve, reject) => {
      const client = this.#isPlain ? http : loadHttps();
      const request = client.request(new URL(path, this.#url), {
        method,
        agent,
        signal,
        headers: {
          ...headers,
          'user-agent': 'policy-log-agent',
          ...(token && { authorization: `Bearer ${token}` }),
        },
      });
      request.setTimeout(SILENT_MS_MAX, () => request.destroy(new Error('the API server does not answer')));
      request.on('error', reject);
      request.on('socket', (socket) => socket.setKeepAlive(true, PROBE_MS));
      request.on('response', (response) => {
        request.setTimeout(silentMsMax);
        resolve(this.#answer(response));
      });
      request.end(body);
    });
  }

  #answer(response: IncomingMessage): ApiAnswer {
    const { headers, statusCode = 0 } = response;
    const count = (chunk: Buffer) => {
      this.#bytes += chunk.length;
    };
    const seconds = Number(headers['retry-after']);
    const serverMs = Date.parse(headers.date ?? '');
    const body = bodyOf(response, count);
    // Whoever reads it is told; if nobody does, nobody need be.
    body.on('error', () => {});
    return {
      status: statusCode,
      serverMs: Number.isNaN(serverMs) ? undefined : serverMs,
      retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
      body,
    };
  }

  #currentAgent(): Agent {
    const ca = this.#isPlain ? undefined : readIfThere(this.#access.caFile);
    if (this.#agent !== undefined && ca === this.#ca) return this.#agent;
    // What is under way on the old connections goes on.
    this.#ca = ca;
    const options = { keepAlive: true, timeout: SILENT_MS_MAX, ...(ca && { ca }) };
    const agent = this.#isPlain ? new http.Agent(options) : new (loadHttps().Agent)(options);
    this.#agent = agent;
    return agent;
  }
}

function bodyOf(response: IncomingMessage, count: (chunk: Buffer) => void): Readable {
  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      count(chunk);
      yield chunk;
    }
  }
  if (response.headers['content-encoding'] === 'gzip') {
    // An error reaches who reads the last of them.
    return pipeline(response, counted, createGunzip(), () => {});
  }
  response.on('data', count);
  response.pause();
  return response;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
