import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of one connection. */
export type Treatment =
  | { readonly kind: 'forward' }
  /** Forwards so many bytes of the client, then resets both sides. */
  | { readonly kind: 'reset_after'; readonly bytes: number }
  /** Takes what comes and answers nothing. */
  | { readonly kind: 'stall' }
  /** Forwards, but answers with garbage and closes its side. */
  | { readonly kind: 'garbage' };

/** How long a server's end is held back for a reset that may follow it. */
const RESET_MS = 20;

/** A TCP proxy that fails as told: the faults before a real server. */
export class TcpProxy {
  /** Decides what becomes of the next connection. */
  treat: () => Treatment = () => ({ kind: 'forward' });
  connections = 0;
  #forwardedBytes = 0;
  #milestone: { readonly bytes: number; readonly reached: () => void } | undefined;
  readonly #upstreamPort: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(upstreamPort: number) {
    this.#upstreamPort = upstreamPort;
  }

  get port(): number {
    return (this.#server!.address() as AddressInfo).port;
  }

  async start(port = 0): Promise<void> {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#handle(client));
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Calls back once so many bytes more have come from clients. */
  whenForwarded(bytes: number, reached: () => void): void {
    this.#milestone = { bytes: this.#forwardedBytes + bytes, reached };
  }

  /** Resets what is open; the next connections are treated as told. */
  resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.resetAll();
    const server = this.#server!;
    server.close();
    await once(server, 'close');
  }

  #handle(client: Socket): void {
    this.connections++;
    const treatment = this.treat();
    this.#keep(client);
    if (treatment.kind === 'stall') {
      client.resume();
      return;
    }
    const upstream = connect({ port: this.#upstreamPort, host: '127.0.0.1', allowHalfOpen: true });
    this.#keep(upstream);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.resetAndDestroy());
    }
    client.on('end', () => upstream.end());
    // A server that closes with something on its way to it resets right behind: here, too, that is to be no later.
    upstream.on('end', () => setTimeout(() => client.end(), RESET_MS));
    let forwarded = 0;
    client.on('data', (bytes) => {
      forwarded += bytes.length;
      this.#count(bytes.length);
      if (treatment.kind === 'reset_after' && forwarded > treatment.bytes) {
        upstream.write(bytes.subarray(0, bytes.length - (forwarded - treatment.bytes)));
        client.resetAndDestroy();
        upstream.resetAndDestroy();
        return;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => client.write(bytes));
    if (treatment.kind === 'garbage') client.end('\u0000\u0000 this is none of it\r\n');
  }

  #count(bytes: number): void {
    this.#forwardedBytes += bytes;
    const milestone = this.#milestone;
    if (milestone === undefined || this.#forwardedBytes < milestone.bytes) return;
    this.#milestone = undefined;
    milestone.reached();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
