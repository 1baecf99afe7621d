import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { AbortedError } from '../http-client.ts';

/** Datagrams that are handed to the kernel at once. */
const BURST = 64;

/**
 * Sends each message as one datagram. Resolves when the kernel took them; whether they arrive nobody knows. A server
 * that is not there is noticed where its host says so in time.
 * @throws errors of the network, and of `signal`
 */
export async function sendDatagrams(
  host: string,
  port: number,
  messages: readonly Buffer[],
  signal: AbortSignal,
): Promise<void> {
  const { address, family } = await lookup(host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    socket.connect(port, address);
    await once(socket, 'connect');
    let failure: Error | undefined;
    socket.on('error', (error) => {
      failure = error;
    });
    for (let start = 0; start < messages.length; start += BURST) {
      await Promise.all(messages.slice(start, start + BURST).map((message) => send(socket, message)));
      if (signal.aborted) throw new AbortedError();
      if (failure) throw failure;
    }
  } finally {
    socket.close();
  }
}

function send(socket: Socket, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(message, (error) => (error ? reject(error) : resolve()));
  });
}
