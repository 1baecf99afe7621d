import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http } from '../../sinks/node-http.ts';

/** What the agent says of itself over HTTP. */
export interface HttpEndpoints {
  /** The metrics in Prometheus text format. */
  metrics(): Promise<{ contentType: string; text: string }>;
  /** Why the agent is not ready, or undefined. Never a sink's health: a node agent must not restart for that. */
  notReady(): string | undefined;
}

/**
 * Serves `/metrics`, `/healthz` (it answers, so the event loop lives) and `/readyz`.
 * Inert until `listen`; rejects where the address cannot be had.
 */
export class HttpServer {
  readonly #server: Server;

  constructor(endpoints: HttpEndpoints) {
    this.#server = http.createServer((request, response) => {
      answer(request, response, endpoints).catch((error: unknown) => {
        send(response, 500, `${String(error)}\n`);
      });
    });
    this.#server.keepAliveTimeout = 65_000;
    this.#server.maxConnections = 64;
  }

  /** @param address `ADDRESS:PORT`, port 0 for any free one; resolves with the URL that was bound */
  async listen(address: string): Promise<string> {
    const colon = address.lastIndexOf(':');
    const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port: Number(address.slice(colon + 1)) }, resolve);
    });
    const bound = this.#server.address() as AddressInfo;
    const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
    return `http://${shown}:${bound.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  endpoints: HttpEndpoints,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return send(response, 405, 'only GET and HEAD\n', { allow: 'GET, HEAD' });
  }
  switch (request.url?.split('?', 1)[0]) {
    case '/metrics': {
      const { contentType, text } = await endpoints.metrics();
      return send(response, 200, text, { 'content-type': contentType });
    }
    case '/healthz':
      return send(response, 200, 'ok\n');
    case '/readyz': {
      const reason = endpoints.notReady();
      return reason === undefined ? send(response, 200, 'ok\n') : send(response, 503, `${reason}\n`);
    }
    default:
      return send(response, 404, 'there are /metrics, /healthz and /readyz\n');
  }
}

function send(response: ServerResponse, status: number, text: string, headers = {}): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(text);
}
