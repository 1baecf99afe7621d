import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { lokiSinkSchema } from '../../agent/config/sinks/loki.ts';
import { compileShape } from '../../agent/stages/shape.ts';
import { Streams } from '../../sinks/loki/streams.ts';
import { LokiSink } from '../../sinks/loki.ts';
import { ShapedSink } from '../../sinks/shaped-sink.ts';
import { HttpFixture } from './http-fixture.ts';
import { batchOfRecords } from './outgoing.ts';
import { flowRecord } from './records.ts';

const never = new AbortController().signal;

function parse(options: Record<string, unknown>) {
  return z.parse(lokiSinkSchema, { type: 'loki', name: 'logs', url: 'http://loki:3100', ...options });
}

async function openSink(options: Record<string, unknown> = {}) {
  const server = new HttpFixture();
  await server.start();
  onTestFinished(() => server.kill());
  server.react = () => ({ kind: 'answer', status: 204 });
  const warnings: string[] = [];
  const sink = new LokiSink(parse({ url: server.origin, ...options }), {
    warn: (message) => warnings.push(message),
    stop() {},
  });
  await sink.open();
  onTestFinished(() => sink.close());
  const pushed = () => server.accepted.map(({ body }) => JSON.parse(body).streams);
  return { sink, server, warnings, pushed };
}

function streamsOf(records: readonly object[], options: Record<string, unknown> = {}) {
  return new Streams(parse(options)).of(batchOfRecords(records).records, '77');
}

test('a batch becomes one request: streams by labels, records in their order', async () => {
  const { sink, server, pushed } = await openSink({ tenant_id: 'red', headers: { 'x-one': '1' } });
  const records = [flowRecord(1), flowRecord(3), flowRecord(2)];
  expect(await sink.send(batchOfRecords(records), never)).toEqual({ kind: 'delivered' });
  const { method, path, headers } = server.accepted[0]!;
  expect({ method, path }).toEqual({ method: 'POST', path: '/loki/api/v1/push' });
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    'x-scope-orgid': 'red',
    'x-one': '1',
  });
  const labels = { job: 'policy-log-agent', node: 'node-1', direction: 'egress', input: 'syslog' };
  const metadata = (n: number) => ({
    connection_src_ip: `10.0.0.${n}`,
    connection_dest_ip: '10.8.0.1',
    connection_dest_port: '443',
    connection_protocol: 'tcp',
    src_namespace: 'shop ü',
    src_pod_name: `web-${n}`,
  });
  const entry = (n: number) => [`179000000000${n}000000`, JSON.stringify(flowRecord(n)), metadata(n)];
  expect(pushed()).toEqual([
    [
      { stream: { ...labels, disposition: 'deny' }, values: [entry(1), entry(2)] },
      { stream: { ...labels, disposition: 'allow' }, values: [entry(3)] },
    ],
  ]);
});

test.each([
  [{ auth: { user: 'me', password: 'x:y' } }, 'Basic bWU6eDp5'],
  [{ auth: { token: 't0' } }, 'Bearer t0'],
  [{}, undefined],
])('credentials %j', async (options, expected) => {
  const { sink, server } = await openSink(options);
  await sink.send(batchOfRecords([flowRecord(1)]), never);
  expect(server.accepted[0]!.headers.authorization).toBe(expected);
});

const SOME_BAD = "entry for stream '{…}' has timestamp too old: …";
const NO_METADATA =
  "stream '{…}' includes structured metadata, but this feature is disallowed. Please see `limits_config.allow_structured_metadata`";

test.each([
  [204, '', { kind: 'delivered' }],
  [400, SOME_BAD, { kind: 'rejected', reason: `HTTP 400: ${SOME_BAD}` }],
  [400, NO_METADATA, { kind: 'retry', cause: 'error' }],
  [400, "missing required labels 'team' for user 'x'", { kind: 'retry', cause: 'error' }],
  [400, "entry for stream '{…}' has 16 label names; limit 15", { kind: 'retry', cause: 'error' }],
  [400, "error parsing labels '{…}'", { kind: 'retry', cause: 'error' }],
  [401, 'no org id', { kind: 'retry', cause: 'unauthorized' }],
  [404, '', { kind: 'retry', cause: 'error' }],
  [413, 'request body too large', { kind: 'too_large' }],
  [429, 'ingestion rate limit exceeded', { kind: 'retry', cause: 'busy', afterMs: 7000 }],
  [500, 'empty ring', { kind: 'retry', cause: 'error' }],
  [503, '', { kind: 'retry', cause: 'busy', afterMs: 7000 }],
])('HTTP %i %s', async (status, body, outcome) => {
  const { sink, server } = await openSink();
  server.react = () => ({ kind: 'answer', status, body, headers: { 'retry-after': '7' } });
  expect(await sink.send(batchOfRecords([flowRecord(1)]), never)).toMatchObject(outcome);
});

test.each([
  ['ingress', { namespace: 'a' }, { namespace: 'b' }, 'b'],
  ['egress', { namespace: 'a' }, { namespace: 'b' }, 'a'],
  ['egress', { instance: '192.0.2.1' }, { namespace: 'b' }, 'b'],
  ['ingress', { namespace: 'a' }, { instance: '192.0.2.1' }, 'a'],
  [undefined, { namespace: 'a' }, { namespace: 'b' }, 'b'],
  [undefined, {}, {}, undefined],
])('the namespace of %s from %j to %j', (direction, src, dest, namespace) => {
  const record = { ...flowRecord(1), connection: { protocol: 'tcp', direction }, src, dest };
  const [first] = streamsOf([record], { label_fields: ['namespace'] });
  expect(first!.stream).toEqual({ job: 'policy-log-agent', ...(namespace && { namespace }) });
});

test('what a record does not have is no label', () => {
  const record = { id: 'a', log_type: 'audit', source: { input: 'audit', format: 'json' } };
  const [first] = streamsOf([record], { label_fields: ['node', 'direction', 'input', 'log_type'] });
  expect(first).toEqual({
    stream: { job: 'policy-log-agent', input: 'audit', log_type: 'audit' },
    values: [['77', JSON.stringify(record), {}]],
  });
});

test('streams are bounded: records of one too many have the fixed labels, and it is said once', async () => {
  const { sink, warnings, pushed } = await openSink({
    labels: { cluster: 'c' },
    label_fields: ['namespace'],
    streams_max: 2,
  });
  const inNamespace = (n: number) => ({ ...flowRecord(n), src: { namespace: `ns-${n}` } });
  await sink.send(batchOfRecords([1, 2].map(inNamespace)), never);
  expect(warnings).toEqual([]);
  await sink.send(batchOfRecords([3, 2, 4].map(inNamespace)), never);
  await sink.send(batchOfRecords([5].map(inNamespace)), never);
  const labels = pushed().map((streams) => streams.map(({ stream }: { stream: object }) => stream));
  expect(labels).toEqual([
    [
      { cluster: 'c', namespace: 'ns-1' },
      { cluster: 'c', namespace: 'ns-2' },
    ],
    [{ cluster: 'c' }, { cluster: 'c', namespace: 'ns-2' }],
    [{ cluster: 'c' }],
  ]);
  expect(warnings).toHaveLength(1);
});

test('what a shape drops is not in the structured metadata either', async () => {
  const { sink, pushed } = await openSink({ compression: 'none' });
  const shaped = new ShapedSink(sink, compileShape({ drop: ['connection.src_ip', 'src'], rename: {} }));
  await shaped.send(batchOfRecords([flowRecord(1)]), never);
  const [, line, metadata] = pushed()[0][0].values[0];
  expect(Object.keys(JSON.parse(line))).not.toContain('src');
  expect(Object.keys(metadata)).toEqual([
    'connection_dest_ip',
    'connection_dest_port',
    'connection_protocol',
  ]);
});

test('structured metadata by paths: the first of a list, and nothing that has parts', () => {
  const record = { ...flowRecord(1), policies: [{ name: 'p' }, { name: 'q' }] };
  const [first] = streamsOf([record], {
    structured_metadata: ['policies.name', 'src', 'count', 'none.such'],
  });
  expect(first!.values[0]![2]).toEqual({ policies_name: 'p', count: '1' });
});

test('without structured metadata an entry has two parts', () => {
  const [first] = streamsOf([flowRecord(1)], { structured_metadata: [] });
  expect(first!.values[0]).toHaveLength(2);
});

test.each([
  [{ labels: {} }, 'at least one label'],
  [{ labels: { 'a-b': 'x' } }, 'a label name'],
  [{ auth: { user: 'me' } }, 'either user and password, or token'],
  [{ auth: { user: 'me', password: 'x', token: 't' } }, 'either user and password, or token'],
  [{ auth: {} }, 'either user and password, or token'],
])('refuses %j', (options, message) => {
  expect(() => parse(options)).toThrow(message);
});
