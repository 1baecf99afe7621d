import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** As it was sent, decompressed; as text, and as bytes. */
  readonly body: string;
  readonly bytes: Buffer;
}

/** What the server does with one request. */
export type Reaction =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string | Buffer;
    }
  /** Hands the request to the server behind, and its answer back. */
  | { readonly kind: 'forward' }
  /** Hands the request to the server behind, and closes the connection without its answer. */
  | { readonly kind: 'forward_then_reset' }
  /** Reads the body and never answers. */
  | { readonly kind: 'stall' }
  /** Takes the request and closes the connection without an answer. */
  | { readonly kind: 'reset_after_body' }
  /** Answers with something that is not HTTP. */
  | { readonly kind: 'garbage' }
  /** Begins an answer and closes the connection in its middle. */
  | { readonly kind: 'torn_answer' };

/**
 * An HTTP server that fails as told. Requests that are answered with 2xx are kept. With a real server behind it, it is
 * the faults between that server and a sink.
 */
export class HttpFixture {
  /** Where requests are forwarded to: the origin of a real server, without TLS. */
  upstream: string | undefined;
  readonly accepted: ReceivedRequest[] = [];
  readonly all: ReceivedRequest[] = [];
  /** Decides what to do with a request; by default everything is accepted. */
  react: (request: ReceivedRequest) => Reaction = () => ({ kind: 'answer', status: 200, body: 'ok' });
  /** So many requests lose their connection in the middle of their body. */
  cutNext = 0;
  connections = 0;
  #server: Server | undefined;
  #sockets = new Set<Socket>();
  #port = 0;

  get url(): string {
    return `${this.origin}/records`;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#handle(request, response));
    server.on('connection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Goes as a process that is killed: connections are reset, the port is closed. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    server.close();
    await once(server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) {
        if (this.cutNext > 0) {
          this.cutNext--;
          request.socket.resetAndDestroy();
          return;
        }
        chunks.push(chunk);
      }
      const sent = Buffer.concat(chunks);
      const bytes = unpack(sent, request.headers['content-encoding']);
      const { method = '', url: path = '', headers } = request;
      const received = { method, path, headers, body: bytes.toString(), bytes };
      this.all.push(received);
      const reaction = this.react(received);
      const { socket } = request;
      switch (reaction.kind) {
        case 'answer':
          if (reaction.status < 300) this.accepted.push(received);
          response.writeHead(reaction.status, reaction.headers).end(reaction.body);
          return;
        case 'forward':
          await this.#forward(received, sent, response);
          return;
        case 'forward_then_reset':
          await this.#forward(received, sent);
          socket.resetAndDestroy();
          return;
        case 'stall':
          return;
        case 'reset_after_body':
          socket.resetAndDestroy();
          return;
        case 'garbage':
          socket.end('\u0016\u0003\u0001 this is not HTTP\r\n\r\n');
          return;
        case 'torn_answer':
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly the beg');
          socket.resetAndDestroy();
      }
    } catch {
      // The client went away, or the server behind did: it will send again.
      request.socket.resetAndDestroy();
    }
  }

  async #forward(received: ReceivedRequest, sent: Buffer, response?: ServerResponse): Promise<void> {
    const { method, path, headers } = received;
    const onward = request(new URL(path, this.upstream), { method, headers });
    onward.end(sent);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const body = Buffer.concat(await answer.toArray());
    if (answer.statusCode! < 300) this.accepted.push(received);
    response?.writeHead(answer.statusCode!, answer.headers).end(body);
  }
}

function unpack(bytes: Buffer, encoding: string | undefined): Buffer {
  if (encoding === 'gzip') return gunzipSync(bytes);
  return encoding === 'zstd' ? zstdDecompressSync(bytes) : bytes;
}
