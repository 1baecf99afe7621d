import type { Socket } from 'node:net';
import { AbortedError } from '../http-client.ts';

/**
 * Sends messages over a connection of their own, each behind its length, and closes it: resolves when the server has
 * read all of it, which it shows by closing its side in turn, after ours.
 *
 * Syslog has no acknowledgement; this is the nearest thing. What a write call took may still be in the kernel of either
 * side, and is gone when the server is; but a server that goes with something unread resets the connection. One that
 * refuses us as soon as we are there (too many connections; under TLS 1.3 also a certificate) may have closed
 * before the first byte arrives. That close is under way for at most a round trip, so ours waits as long as it took to
 * connect; what comes before it is no confirmation.
 *
 * @param connect begins the connection
 * @param isReady the event after which it can be written to
 * @throws errors of the network, of TLS, and of `signal`
 */
export function sendStream(
  connect: () => Socket,
  isReady: 'connect' | 'secureConnect',
  messages: readonly Buffer[],
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    const socket = connect();
    let isConfirmed = false;
    const abort = () => socket.destroy(new AbortedError());
    signal.addEventListener('abort', abort);
    const settle = (error?: Error) => {
      signal.removeEventListener('abort', abort);
      if (error) reject(error);
      else resolve();
    };
    socket.once(isReady, () => {
      const waitMs = performance.now() - startMs;
      socket.cork();
      for (const message of messages) {
        socket.write(`${message.length} `);
        socket.write(message);
      }
      // Once all is written and the wait over, what has arrived by then is looked at first.
      socket.write('', (error) => {
        if (!error) setTimeout(() => setImmediate(() => socket.end()), waitMs);
      });
      socket.uncork();
    });
    // Nothing is expected; what comes is read for the sake of the end.
    socket.resume();
    socket.on('end', () => {
      isConfirmed = socket.writableFinished;
    });
    socket.on('error', settle);
    socket.on('close', () =>
      settle(isConfirmed ? undefined : new Error('the server closed the connection early')),
    );
  });
}
