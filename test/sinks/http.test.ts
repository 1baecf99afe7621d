import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { createServer as createHttps, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { httpSinkSchema } from '../../agent/config/sinks/http.ts';
import { HttpSink } from '../../sinks/http.ts';
import { retryAfterMs } from '../../sinks/http-outcome.ts';
import { type Certificates, makeCertificates } from '../helpers/certificates.ts';
import { batchOf, numbered } from './batch.ts';
import { makeFolder } from './destinations/common.ts';
import { HttpFixture } from './http-fixture.ts';

const never = new AbortController().signal;
const DELIVERED = { kind: 'delivered' };

async function openSink(url: string, options: Record<string, unknown> = {}) {
  const warnings: string[] = [];
  const parsed = z.parse(httpSinkSchema, { type: 'http', name: 'search', url, ...options });
  const sink = new HttpSink(parsed, { warn: (message) => warnings.push(message), stop() {} });
  await sink.open();
  onTestFinished(() => sink.close());
  return { sink, warnings };
}

async function startFixture(): Promise<HttpFixture> {
  const server = new HttpFixture();
  await server.start();
  onTestFinished(() => server.kill());
  return server;
}

test.each([
  ['NDJSON', { framing: 'newline_delimited' }, 'application/x-ndjson', '{"id":"r1"}\n{"id":"r2"}\n'],
  ['one array', { framing: 'json_array' }, 'application/json', '[{"id":"r1"},{"id":"r2"}]'],
  ['text', { encoding: { codec: 'cef' } }, 'text/plain; charset=utf-8', '{"id":"r1"}\n{"id":"r2"}\n'],
  ['gzip', { compression: 'gzip' }, 'application/x-ndjson', '{"id":"r1"}\n{"id":"r2"}\n'],
  ['zstd', { compression: 'zstd' }, 'application/x-ndjson', '{"id":"r1"}\n{"id":"r2"}\n'],
])('the body as %s', async (_name, options, contentType, body) => {
  const server = await startFixture();
  const { sink } = await openSink(server.url, {
    ...options,
    method: 'PUT',
    headers: { authorization: 'Bearer x' },
  });
  expect(await sink.send(batchOf(['r1', 'r2']), never)).toEqual(DELIVERED);
  expect(server.accepted).toMatchObject([
    { method: 'PUT', body, headers: { 'content-type': contentType, authorization: 'Bearer x' } },
  ]);
  expect(server.accepted[0]!.headers['content-encoding']).toBe(
    'compression' in options ? options.compression : undefined,
  );
});

test.each([
  [200, DELIVERED],
  [204, DELIVERED],
  [301, { kind: 'retry', cause: 'error' }],
  [400, { kind: 'rejected', reason: 'HTTP 400: why not' }],
  [401, { kind: 'retry', cause: 'unauthorized' }],
  [403, { kind: 'retry', cause: 'unauthorized' }],
  [404, { kind: 'retry', cause: 'error', reason: 'HTTP 404: why not' }],
  [408, { kind: 'retry', cause: 'busy' }],
  [413, { kind: 'too_large', reason: 'HTTP 413: why not' }],
  [422, { kind: 'rejected' }],
  [429, { kind: 'retry', cause: 'busy', afterMs: 7000 }],
  [500, { kind: 'retry', cause: 'error' }],
  [503, { kind: 'retry', cause: 'busy', afterMs: 7000 }],
])('HTTP %i', async (status, outcome) => {
  const server = await startFixture();
  server.react = () => ({
    kind: 'answer',
    status,
    headers: { 'retry-after': '7' },
    body: status === 204 ? '' : 'why\n not',
  });
  const { sink } = await openSink(server.url);
  expect(await sink.send(batchOf(['r1']), never)).toMatchObject(outcome);
});

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
  ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
  ['soon', undefined],
  [undefined, undefined],
])('Retry-After: %s', (value, expected) => {
  expect(retryAfterMs(value, Date.UTC(2026, 10, 21, 12))).toBe(expected);
});

test('connections are kept, and at most as many as requests are allowed', async () => {
  const server = await startFixture();
  const { sink } = await openSink(server.url, { concurrency: 2 });
  for (let n = 0; n < 5; n++) {
    await Promise.all([sink.send(batchOf([`a${n}`]), never), sink.send(batchOf([`b${n}`]), never)]);
  }
  expect(server.accepted).toHaveLength(10);
  expect(server.connections).toBe(2);
});

test('an answer without end is not read to its end, and the reason stays short', async () => {
  const server = await startFixture();
  server.react = () => ({ kind: 'answer', status: 500, body: 'x'.repeat(8 << 20) });
  const { sink } = await openSink(server.url);
  const outcome = await sink.send(batchOf(['r1']), never);
  expect(outcome).toMatchObject({ kind: 'retry' });
  expect((outcome as { reason: string }).reason.length).toBeLessThanOrEqual(300);
  server.react = () => ({ kind: 'answer', status: 200 });
  expect(await sink.send(batchOf(['r2']), never)).toEqual(DELIVERED);
});

test('a request that is aborted comes back as a retry', async () => {
  const server = await startFixture();
  const { sink } = await openSink(server.url);
  const controller = new AbortController();
  server.react = () => {
    controller.abort();
    return { kind: 'stall' };
  };
  expect(await sink.send(batchOf(['r1']), controller.signal)).toMatchObject({
    kind: 'retry',
    cause: 'timeout',
  });
});

test('a request that was given up before it began is not made', async () => {
  const server = await startFixture();
  const { sink } = await openSink(server.url);
  expect(await sink.send(batchOf(['r1']), AbortSignal.abort())).toMatchObject({
    kind: 'retry',
    cause: 'timeout',
  });
  expect(server.all).toEqual([]);
});

test('a request goes through the proxy of the environment', async () => {
  const server = await startFixture();
  const seen: string[] = [];
  const proxy = createProxy((request, response) => {
    seen.push(request.url!);
    request.resume().on('end', () => response.end());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { sink } = await openSink(server.url);
  expect(await sink.send(batchOf(['r1']), never)).toEqual(DELIVERED);
  expect(seen).toEqual([server.url]);
  vi.stubEnv('NO_PROXY', '127.0.0.1');
  const { sink: direct } = await openSink(server.url);
  expect(await direct.send(batchOf(['r2']), never)).toEqual(DELIVERED);
  expect(server.accepted).toHaveLength(1);
});

test('TLS: an unknown server is refused, unless its authority is named or nobody looks', async () => {
  const { ca, cert, key } = makeFiles();
  const { url } = await startTls({ key: readFileSync(key('server')), cert: readFileSync(cert('server')) });
  const send = async (tls: Record<string, unknown> | undefined) => {
    const { sink, warnings } = await openSink(url, tls && { tls });
    return { outcome: await sink.send(batchOf(numbered(1, 3)), never), warnings };
  };
  expect((await send(undefined)).outcome).toMatchObject({ kind: 'retry', cause: 'network' });
  expect(await send({ ca_file: ca })).toEqual({ outcome: DELIVERED, warnings: [] });
  expect(await send({ insecure_skip_verify: true })).toEqual({
    outcome: DELIVERED,
    warnings: [expect.stringMatching(/accepts any certificate/)],
  });
});

test('TLS: the client shows its certificate', async () => {
  const { ca, cert, key } = makeFiles();
  const { url } = await startTls({
    key: readFileSync(key('server')),
    cert: readFileSync(cert('server')),
    ca: readFileSync(ca),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const without = await openSink(url, { tls: { ca_file: ca } });
  expect(await without.sink.send(batchOf(['r1']), never)).toMatchObject({ kind: 'retry', cause: 'network' });
  const tls = { ca_file: ca, cert_file: cert('client'), key_file: key('client') };
  const { sink } = await openSink(url, { tls });
  expect(await sink.send(batchOf(['r1']), never)).toEqual(DELIVERED);
});

test('a certificate file that cannot be read is an error of opening, which names it', async () => {
  await expect(openSink('https://127.0.0.1:1/', { tls: { ca_file: '/no/such/ca.pem' } })).rejects.toThrow(
    '/no/such/ca.pem',
  );
});

test('a certificate without its key is refused by the schema', () => {
  const config = { type: 'http', name: 'x', url: 'https://h/', tls: { cert_file: '/c.pem' } };
  expect(z.safeParse(httpSinkSchema, config).error?.issues[0]?.message).toBe(
    'cert_file and key_file go together',
  );
});

async function startTls(options: ServerOptions): Promise<{ url: string }> {
  const server = createHttps(options, (request, response) => {
    request.resume().on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://localhost:${(server.address() as AddressInfo).port}/` };
}

/** What an authority signed for a server and for a client. */
function makeFiles(): Certificates {
  const folder = makeFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return makeCertificates(folder, ['server', 'client']);
}

test('of a request that was answered before its end, nothing is sent after the answer', async () => {
  const connection = Promise.withResolvers<Socket>();
  const server = createTcp((socket) => {
    socket.once('data', () => {
      socket.pause();
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      connection.resolve(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { sink } = await openSink(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const batch = batchOf(Array.from({ length: 32 }, (_, n) => `r${n}${'-'.repeat(1 << 20)}`));
  expect(await sink.send(batch, never)).toEqual(DELIVERED);
  for (const piece of batch.ndjson) piece.fill('X');
  const socket = await connection.promise;
  let written = 0;
  socket.on('data', (bytes: Buffer) => {
    written += bytes.includes('X') ? 1 : 0;
  });
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'close');
  expect(written).toBe(0);
});
