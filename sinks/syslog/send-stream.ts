import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { AbortedError } from '../http-client.ts';

/**
 * Sends messages over a connection of their own, each behind its length, and closes it: resolves when the server has
 * read all of it.
 *
 * Syslog has no acknowledgement; this is the nearest thing. What a write call took may still be in the kernel of either
 * side; but a server that goes, or refuses us, with something unread resets the connection, and one that has read to
 * the end closes it in order.
 *
 * - Over TCP the end is ours of the connection. A server that refuses us as soon as we are there (too many
 *   connections) may have closed before the first byte arrived; that close is under way for at most a round trip,
 *   so ours waits as long as it took to connect, and what comes before it is no confirmation.
 * - Over TLS the end is our closing alert, and the connection itself stays open. A server may refuse the certificate
 *   long after the handshake, even after reading messages, but never after reading that alert: it then closes with it
 *   unread, or before it came, and the connection is reset. The server's own closing alert proves nothing, for it
 *   may be sent before the reset. So the end of the connection counts, and once it is there and a round trip
 *   has passed, one byte more is written, which fails where a reset came meanwhile.
 *
 * @param tls for TLS: with which certificates, and for which name
 * @throws errors of the network, of TLS, and of `signal`
 */
export function sendStream(
  host: string,
  port: number,
  tls: ConnectionOptions | undefined,
  messages: readonly Buffer[],
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    /** At least: what it took to connect. */
    let roundTripMs = 0;
    let isEnded = false;
    const socket = connect({ host, port, allowHalfOpen: true });
    const settle = (error?: Error) => {
      signal.removeEventListener('abort', abort);
      secure?.destroy();
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    const abort = () => settle(new AbortedError());
    signal.addEventListener('abort', abort);
    const secure = tls && connectTls({ ...tls, socket: neverEnding(socket) });

    const write = (stream: Duplex, written: () => void) => {
      roundTripMs = performance.now() - startMs;
      stream.cork();
      for (const message of messages) {
        stream.write(`${message.length} `);
        stream.write(message);
      }
      stream.write('', (error) => {
        if (!error) written();
      });
      stream.uncork();
    };
    if (secure) {
      secure.on('error', settle);
      secure.once('secureConnect', () =>
        write(secure, () => {
          isEnded = true;
          secure.end();
        }),
      );
    } else {
      const end = () =>
        socket.end(() => {
          isEnded = true;
        });
      socket.once('connect', () => write(socket, () => later(roundTripMs, end)));
      socket.once('close', () => settle(socket.readableEnded ? undefined : early()));
    }
    // Nothing is expected; what comes is read for the sake of the end.
    (secure ?? socket).resume();
    // An alert that came before says more.
    const fail = (error: Error) => (secure ? setImmediate(settle, error) : settle(error));
    socket.on('error', fail);
    socket.on('end', () => {
      if (!isEnded) fail(early());
      else if (secure) later(roundTripMs, () => socket.write('\0', (error) => settle(error ?? undefined)));
    });
  });
}

function early(): Error {
  return new Error('the server closed the connection early');
}

/** Once the time is over, what has arrived by then is looked at first. */
function later(ms: number, run: () => void): void {
  setTimeout(() => setImmediate(run), ms);
}

/** What TLS runs over: a connection that its end leaves open. */
function neverEnding(socket: Socket): Duplex {
  const duplex = new Duplex({
    read() {
      socket.resume();
    },
    write(bytes, _encoding, done) {
      // An error is the connection's, which says it itself.
      socket.write(bytes, (error) => {
        if (!error) done();
      });
    },
  });
  socket.on('data', (bytes) => {
    if (!duplex.push(bytes)) socket.pause();
  });
  return duplex;
}
