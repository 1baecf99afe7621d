import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { syslogSinkSchema } from '../../agent/config/sinks/syslog.ts';
import { SyslogSink } from '../../sinks/syslog.ts';
import { makeCertificates } from '../helpers/certificates.ts';
import { batchOf } from './batch.ts';

const never = new AbortController().signal;
const DELIVERED = { kind: 'delivered', refused: [] };

async function openSink(options: Record<string, unknown>) {
  const warnings: string[] = [];
  const parsed = z.parse(syslogSinkSchema, {
    ...{ type: 'syslog', name: 'siem', host: '127.0.0.1', structured_data: { fields: [] } },
    ...options,
  });
  const sink = new SyslogSink(parsed, { warn: (message) => warnings.push(message), stop() {} });
  await sink.open();
  onTestFinished(() => sink.close());
  return { sink, warnings };
}

/** A server that treats connections so; each is kept open for what the client sends after its own end. */
async function serve(handle: (socket: Socket) => void, server?: Server): Promise<number> {
  const listening = server ?? createServer({ allowHalfOpen: true });
  const sockets = new Set<Socket>();
  listening.on(server === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    handle(socket);
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    listening.close();
  });
  return (listening.address() as AddressInfo).port;
}

/** Reads to the end, then closes. */
function reader() {
  let text = '';
  const handle = (socket: Socket) => {
    socket.on('data', (bytes) => {
      text += bytes;
    });
    socket.on('end', () => socket.end());
  };
  return { handle, text: () => text };
}

test('messages have their length before them, and are delivered when the server has read all', async () => {
  const { handle, text } = reader();
  const { sink } = await openSink({ port: await serve(handle) });
  expect(await sink.send(batchOf(['a', 'bü']), never)).toEqual(DELIVERED);
  expect(text()).toBe(
    '47 <134>1 - - policy-log-agent - flow - {"id":"a"}49 <134>1 - - policy-log-agent - flow - {"id":"bü"}',
  );
});

test.each<[string, (socket: Socket) => void, RegExp]>([
  ['closes at once', (socket) => socket.end(), /early|ECONNRESET|EPIPE/],
  ['goes at once', (socket) => socket.destroy(), /early|ECONNRESET|EPIPE/],
  ['resets', (socket) => socket.resetAndDestroy(), /ECONNRESET|EPIPE/],
  [
    'goes without having read all',
    (socket) => socket.once('readable', () => socket.destroy()),
    /early|ECONNRESET|EPIPE/,
  ],
])('a server that %s has nothing', async (_, handle, reason) => {
  const port = await serve(handle);
  const { sink } = await openSink({ port, message_bytes_max: '1MiB' });
  for (const padding of [0, 500_000]) {
    const outcome = await sink.send(batchOf(['a', 'b'], padding), never);
    expect(outcome).toEqual({ kind: 'retry', cause: 'network', reason: expect.stringMatching(reason) });
  }
});

test('a server that is not there, and one that never closes', async () => {
  const { sink } = await openSink({ port: 1 });
  expect(await sink.send(batchOf(['a']), never)).toMatchObject({ kind: 'retry', cause: 'network' });

  const controller = new AbortController();
  const port = await serve((socket) => socket.on('end', () => controller.abort()).resume());
  const { sink: waiting } = await openSink({ port });
  const outcome = await waiting.send(batchOf(['a']), controller.signal);
  expect(outcome).toMatchObject({ kind: 'retry', cause: 'timeout' });
});

test('a record too long for the server is refused, the others are sent', async () => {
  const { handle, text } = reader();
  const { sink } = await openSink({ port: await serve(handle), message_bytes_max: '480B' });
  const [short, long] = [batchOf(['a', 'c']), batchOf(['b'], 500)];
  const records = [short.records[0]!, long.records[0]!, short.records[1]!];
  const outcome = await sink.send({ ...short, count: 3, records }, never);
  const reason = 'message of 560 bytes; at most 480 are sent';
  expect(outcome).toEqual({ kind: 'delivered', refused: [{ index: 1, reason }] });
  expect(text().match(/"id":"."/g)).toEqual(['"id":"a"', '"id":"c"']);
  expect(await sink.send(long, never)).toMatchObject({ refused: [{ index: 0 }] });
});

test('UDP: a datagram a message; a port where nobody is', async () => {
  const server = createSocket('udp4');
  const got: string[] = [];
  const all = new Promise<void>((resolve) => {
    server.on('message', (message) => {
      if (got.push(message.toString()) === 3) resolve();
    });
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const { sink } = await openSink({ port, transport: 'udp', app_name: 'np' });
  expect(await sink.send(batchOf(['a', 'b', 'c']), never)).toEqual(DELIVERED);
  await all;
  expect(got).toEqual(['a', 'b', 'c'].map((id) => `<134>1 - - np - flow - {"id":"${id}"}`));
  const { sink: generous } = await openSink({ port, transport: 'udp', message_bytes_max: '1MiB' });
  const reason = expect.stringContaining('at most 65507');
  expect(await generous.send(batchOf(['d'], 66_000), never)).toEqual({
    ...DELIVERED,
    refused: [{ index: 0, reason }],
  });
  const closed = once(server, 'close');
  server.close();
  await closed;
  const ids = Array.from({ length: 500 }, (_, n) => `r${n}`);
  expect(await sink.send(batchOf(ids), never)).toMatchObject({ kind: 'retry', cause: 'network' });
});

test('TLS: the server is verified, a refused certificate is told from a broken network', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'syslog-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { ca, cert, key } = makeCertificates(folder, ['server', 'client']);
  const files = {
    key: readFileSync(key('server')),
    cert: readFileSync(cert('server')),
    ca: readFileSync(ca),
  };
  const { handle, text } = reader();
  const server = createTlsServer({ ...files, requestCert: true, allowHalfOpen: true });
  const port = await serve(handle, server);
  const client = { ca_file: ca, cert_file: cert('client'), key_file: key('client') };

  const { sink, warnings } = await openSink({ transport: 'tls', port, tls: client });
  expect(await sink.send(batchOf(['a']), never)).toEqual(DELIVERED);
  expect(text()).toContain('"id":"a"');
  expect(warnings).toEqual([]);

  const { sink: stranger } = await openSink({ transport: 'tls', port });
  const verified = await stranger.send(batchOf(['b']), never);
  expect(verified).toMatchObject({
    kind: 'retry',
    cause: 'network',
    reason: expect.stringMatching(/certificate/),
  });

  const { sink: nameless } = await openSink({ transport: 'tls', port, tls: { ca_file: ca } });
  const refused = await nameless.send(batchOf(['c']), never);
  expect(refused).toMatchObject({ kind: 'retry', cause: 'unauthorized' });

  const { sink: trusting, warnings: loud } = await openSink({
    transport: 'tls',
    port,
    tls: { ...client, ca_file: undefined, insecure_skip_verify: true },
  });
  expect(await trusting.send(batchOf(['d']), never)).toEqual(DELIVERED);
  expect(loud).toEqual([expect.stringContaining('accepts any certificate')]);
  expect(text()).not.toMatch(/"id":"[bc]"/);
});
