import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { elasticsearchSinkSchema } from '../../agent/config/sinks/elasticsearch.ts';
import { compileShape } from '../../agent/stages/shape.ts';
import { ElasticsearchSink } from '../../sinks/elasticsearch.ts';
import { ShapedSink } from '../../sinks/shaped-sink.ts';
import { HttpFixture, type Reaction, type ReceivedRequest } from './http-fixture.ts';
import { batchOfRecords } from './outgoing.ts';
import { flowRecord } from './records.ts';

const never = new AbortController().signal;
const DELIVERED = { kind: 'delivered' };

function parse(options: Record<string, unknown>) {
  const config = { type: 'elasticsearch', name: 'search', url: 'http://es:9200', ...options };
  return z.parse(elasticsearchSinkSchema, config);
}

async function openSink(options: Record<string, unknown> = {}) {
  const server = new HttpFixture();
  await server.start();
  onTestFinished(() => server.kill());
  server.react = () => answer(200, { errors: false });
  const sink = new ElasticsearchSink(parse({ url: server.origin, ...options }), { warn() {}, stop() {} });
  await sink.open();
  onTestFinished(() => sink.close());
  return { sink, server };
}

function answer(status: number, body: unknown): Reaction {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { kind: 'answer', status, body: text, headers: { 'retry-after': '7' } };
}

function linesOf({ body }: ReceivedRequest): unknown[] {
  expect(body.endsWith('\n')).toBe(true);
  return body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const STREAM = 'logs-network_policy.flow-default';

test('a batch becomes one request: create under the record’s id, and an @timestamp', async () => {
  const { sink, server } = await openSink({ headers: { 'x-one': '1' }, pipeline: 'geo ip' });
  expect(await sink.send(batchOfRecords([flowRecord(1), flowRecord(2)]), never)).toEqual(DELIVERED);
  const [request, ...others] = server.all;
  expect(others).toEqual([]);
  expect(request).toMatchObject({
    method: 'POST',
    path: '/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason&pipeline=geo%20ip',
    headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip', 'x-one': '1' },
  });
  expect(linesOf(request!)).toEqual([
    { create: { _index: STREAM, _id: 'r1' } },
    { '@timestamp': flowRecord(1).timestamp, ...flowRecord(1) },
    { create: { _index: STREAM, _id: 'r2' } },
    { '@timestamp': flowRecord(2).timestamp, ...flowRecord(2) },
  ]);
});

test('a path of the address stays, also where it names _bulk', async () => {
  for (const suffix of ['/search/', '/search/_bulk']) {
    const { server } = await openSink();
    const sink = new ElasticsearchSink(parse({ url: `${server.origin}${suffix}` }), { warn() {}, stop() {} });
    await sink.open();
    await sink.send(batchOfRecords([flowRecord(1)]), never);
    await sink.close();
    expect(server.all[0]!.path).toMatch(/^\/search\/_bulk\?/);
  }
});

test.each([
  [{ api_key: 'id:secret' }, 'ApiKey aWQ6c2VjcmV0'],
  [{ api_key: 'aWQ6c2VjcmV0' }, 'ApiKey aWQ6c2VjcmV0'],
  [{ auth: { user: 'me', password: 'x:y' } }, 'Basic bWU6eDp5'],
  [{ auth: { token: 't0' } }, 'Bearer t0'],
  [{}, undefined],
])('credentials %j', async (options, expected) => {
  const { sink, server } = await openSink(options);
  await sink.send(batchOfRecords([flowRecord(1)]), never);
  expect(server.all[0]!.headers.authorization).toBe(expected);
});

const AUDIT = { id: 'a', log_type: 'Audit Log/2', source: { input: 'x', format: 'json' } };
test.each([
  ['flows', flowRecord(1), STREAM],
  ['flows-{log_type}', AUDIT, 'flows-audit_log_2'],
  ['{log_type}-%Y.%m.%d-%H', flowRecord(1), 'flow-2026.09.21-14'],
])('an index %s', async (index, record, name) => {
  const { sink, server } = await openSink(index === 'flows' ? {} : { index: `a.${index}`, mode: 'index' });
  await sink.send(batchOfRecords([record]), never);
  const [action] = linesOf(server.all[0]!);
  expect(action).toMatchObject({ create: { _index: index === 'flows' ? name : `a.${name}` } });
});

test('a record without a time gets that of its sending', async () => {
  const { sink, server } = await openSink();
  const before = new Date().toISOString();
  await sink.send(batchOfRecords([AUDIT]), never);
  const { '@timestamp': time } = linesOf(server.all[0]!)[1] as Record<string, string>;
  expect([before, time, new Date().toISOString()].toSorted()[1]).toBe(time);
});

test('a record with an @timestamp of its own keeps it; one deeper down is another thing', async () => {
  const { sink, server } = await openSink();
  const { timestamp } = flowRecord(1);
  const own = { ...flowRecord(1), '@timestamp': '2026-01-01T00:00:00Z' };
  const deeper = { ...flowRecord(2), body: { '@timestamp': 'x' } };
  await sink.send(batchOfRecords([own, deeper]), never);
  const [, first, , second] = linesOf(server.all[0]!);
  expect(first).toEqual(own);
  expect(second).toEqual({ ...deeper, '@timestamp': flowRecord(2).timestamp });
  expect(server.all[0]!.body.split(timestamp)).toHaveLength(2);
});

test('id and time are those of the record that was made, whatever is sent of it', async () => {
  const { sink, server } = await openSink();
  const drop = Object.keys(flowRecord(1));
  await new ShapedSink(sink, compileShape({ drop, rename: {} })).send(batchOfRecords([flowRecord(1)]), never);
  expect(linesOf(server.all[0]!)).toEqual([
    { create: { _index: STREAM, _id: 'r1' } },
    { '@timestamp': flowRecord(1).timestamp },
  ]);
});

const item = (status: number, type = 'x', reason = 'why') => ({
  create: { status, ...(status >= 300 && { error: { type, reason } }) },
});
const MAPPING = item(400, 'document_parsing_exception', 'failed to parse field [n]');
const CONFLICT = item(409, 'version_conflict_engine_exception');
const QUEUE = item(429, 'es_rejected_execution_exception');
const BLOCKED = item(403, 'cluster_block_exception', 'index [x] blocked by: [FORBIDDEN/8/index write]');

test.each([
  ['all created', [item(201), item(201)], DELIVERED],
  ['there already', [CONFLICT, item(201)], DELIVERED],
  [
    'one does not fit',
    [item(201), MAPPING],
    {
      ...DELIVERED,
      refused: [{ index: 1, reason: '400 document_parsing_exception: failed to parse field [n]' }],
    },
  ],
  ['none fits', [MAPPING, MAPPING], { ...DELIVERED, refused: [{ index: 0 }, { index: 1 }] }],
  [
    'one is too many',
    [item(201), QUEUE],
    { ...DELIVERED, again: [1], reason: '429 es_rejected_execution_exception: why' },
  ],
  [
    'one is too many, one does not fit',
    [MAPPING, item(503)],
    { ...DELIVERED, refused: [{ index: 0 }], again: [1] },
  ],
  ['all are too many', [QUEUE, QUEUE], { kind: 'retry', cause: 'busy' }],
  ['a shard is away', [item(503), item(503)], { kind: 'retry', cause: 'busy' }],
  ['a defect there', [item(500), item(201)], { ...DELIVERED, again: [0] }],
  ['an index is blocked', [BLOCKED, item(201)], { ...DELIVERED, again: [0] }],
  [
    'no permission for any',
    [item(403, 'security_exception'), item(403)],
    { kind: 'retry', cause: 'unauthorized' },
  ],
  ['no such index', [item(404), item(404)], { kind: 'retry', cause: 'error', reason: '404 x: why' }],
])('per record: %s', async (_name, items, outcome) => {
  const { sink, server } = await openSink();
  server.react = () => answer(200, { errors: true, items });
  const records = [flowRecord(1), flowRecord(2)];
  expect(await sink.send(batchOfRecords(records), never)).toMatchObject(outcome);
});

test.each([
  [400, '{"error":{"type":"illegal_argument_exception"}}', { kind: 'rejected' }],
  [401, 'security_exception', { kind: 'retry', cause: 'unauthorized' }],
  [403, 'security_exception', { kind: 'retry', cause: 'unauthorized' }],
  [404, 'no such pipeline host', { kind: 'retry', cause: 'error' }],
  [413, '', { kind: 'too_large' }],
  [429, 'circuit_breaking_exception', { kind: 'retry', cause: 'busy', afterMs: 7000 }],
  [503, '', { kind: 'retry', cause: 'busy', afterMs: 7000 }],
  [200, 'hello', { kind: 'retry', cause: 'error' }],
  [200, '{"errors":true,"items":[]}', { kind: 'retry', cause: 'error' }],
  [200, `{"errors":true,"x":"${'y'.repeat(5 << 20)}"}`, { kind: 'too_large' }],
])('HTTP %i %.50s', async (status, body, outcome) => {
  const { sink, server } = await openSink();
  server.react = () => answer(status, body);
  expect(await sink.send(batchOfRecords([flowRecord(1)]), never)).toMatchObject(outcome);
});

test('an answer about many records is read to its end', async () => {
  const { sink, server } = await openSink();
  const records = Array.from({ length: 2000 }, (_, n) => flowRecord(n));
  const items = records.map((_, n) => (n === 1999 ? MAPPING : CONFLICT));
  server.react = () => answer(200, { errors: true, items });
  expect(await sink.send(batchOfRecords(records), never)).toMatchObject({ refused: [{ index: 1999 }] });
});

test.each([
  [{ index: 'Logs' }, 'lower-case letters'],
  [{ index: '_logs' }, 'lower-case letters'],
  [{ index: 'logs-{name}' }, 'lower-case letters'],
  [{ index: 'logs-%Y.%m.%d' }, 'no dates in the name of a data stream'],
  [{ api_key: 'a:b', auth: { token: 't' } }, 'either api_key or auth'],
  [{ template: { retention: '5m' } }, 'a duration from 1h to 3650d'],
])('refuses %j', (options, message) => {
  expect(() => parse(options)).toThrow(message);
});
