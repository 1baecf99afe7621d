import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { splunkHecSinkSchema } from '../../agent/config/sinks/splunk-hec.ts';
import { compileShape } from '../../agent/stages/shape.ts';
import { ShapedSink } from '../../sinks/shaped-sink.ts';
import { SplunkHecSink } from '../../sinks/splunk-hec.ts';
import { SplunkHecServer } from './destinations/splunk-hec-server.ts';
import { HttpFixture, type Reaction } from './http-fixture.ts';
import { batchOfRecords } from './outgoing.ts';
import { flowRecord } from './records.ts';

const never = new AbortController().signal;
const DELIVERED = { kind: 'delivered' };
const EVENTS = '/services/collector/event';
const ACKS = '/services/collector/ack';
const CHANNEL = 'x-splunk-request-channel';

function parse(options: Record<string, unknown>) {
  const acknowledgement = { poll_interval: '100ms' };
  return z.parse(splunkHecSinkSchema, { type: 'splunk_hec', name: 'siem', acknowledgement, ...options });
}

async function openSink(options: Record<string, unknown> = {}, path = '') {
  const server = new SplunkHecServer();
  const way = new HttpFixture();
  way.react = (request) => server.answer(request);
  await way.start();
  onTestFinished(() => way.kill());
  const config = parse({ url: `${way.origin}${path}`, token: server.token, ...options });
  const sink = new SplunkHecSink(config, { warn() {}, stop() {} });
  await sink.open();
  onTestFinished(() => sink.close());
  const channels = () => way.all.map(({ headers }) => headers[CHANNEL]);
  const paths = () => way.all.map((request) => request.path);
  return { sink, server, way, channels, paths };
}

function records(count: number) {
  return Array.from({ length: count }, (_, n) => flowRecord(n + 1));
}

test('a batch becomes one request: events with what Splunk files them under', async () => {
  const { sink, server, way } = await openSink({ index: 'net_{log_type}', headers: { 'x-one': '1' } });
  expect(await sink.send(batchOfRecords(records(2)), never)).toEqual(DELIVERED);
  expect(way.all).toMatchObject([
    {
      method: 'POST',
      path: EVENTS,
      headers: { authorization: `Splunk ${server.token}`, 'content-encoding': 'gzip', 'x-one': '1' },
    },
  ]);
  const event = (n: number) => ({
    time: Date.parse(flowRecord(n).timestamp) / 1000,
    host: 'node-1',
    source: 'policy-log-agent',
    sourcetype: 'policy_log_agent:flow',
    index: 'net_flow',
    event: flowRecord(n),
  });
  expect(server.indexed).toEqual([event(1), event(2)]);
});

test.each([
  ['2026-11-21T10:15:02.104233Z', '1795256102.104233'],
  ['2026-11-21T10:15:02.104233987Z', '1795256102.104233'],
  ['2026-11-21T10:15:02Z', '1795256102.000000'],
  ['1970-01-01T00:00:00.5Z', '0.500000'],
])('the time %s', async (timestamp, seconds) => {
  const { sink, way } = await openSink();
  await sink.send(batchOfRecords([{ ...flowRecord(1), timestamp }]), never);
  expect(way.all[0]!.body).toMatch(new RegExp(`^\\{"time":${seconds},`));
});

test('a record without time and node gets those of its arrival; its log type is in the sourcetype', async () => {
  const { sink, server } = await openSink();
  const audit = { id: 'a', log_type: 'audit', source: { input: 'x', format: 'json' } };
  await sink.send(batchOfRecords([audit]), never);
  expect(server.indexed).toEqual([
    { source: 'policy-log-agent', sourcetype: 'policy_log_agent:audit', event: audit },
  ]);
});

test('indexed fields: those of all events, and those of the record as it is sent', async () => {
  const options = {
    fields: { cluster: 'prod' },
    indexed_fields: [
      'disposition',
      'connection.dest_port',
      'policies.name',
      'src',
      'src.pod_name',
      'no.such',
    ],
  };
  const { sink, server } = await openSink(options);
  const record = { ...flowRecord(1), policies: [{ name: 'a' }, { name: 'b' }] };
  const shaped = new ShapedSink(sink, compileShape({ drop: ['src.pod_name'], rename: {} }));
  expect(await shaped.send(batchOfRecords([record]), never)).toEqual(DELIVERED);
  expect(server.indexed[0]!.fields).toEqual({
    cluster: 'prod',
    disposition: 'deny',
    'connection.dest_port': 443,
    'policies.name': ['a', 'b'],
  });
});

test.each(['', '/', EVENTS, '/services/collector', '/services/collector/event/1.0', '/splunk'])(
  'the address with the path %s',
  async (path) => {
    const { sink, paths } = await openSink({}, path);
    await sink.send(batchOfRecords(records(1)), never);
    expect(paths()).toEqual([path === '/splunk' ? `/splunk${EVENTS}` : EVENTS]);
  },
);

test('with acknowledgement a request is over when its events are indexed', async () => {
  const { sink, server, paths, channels } = await openSink();
  server.hasAcknowledgement = true;
  server.questionsBefore = 2;
  expect(await sink.send(batchOfRecords(records(2)), never)).toEqual(DELIVERED);
  expect(server.indexed).toHaveLength(2);
  expect(paths()).toEqual([EVENTS, ACKS, ACKS, ACKS]);
  expect(new Set(channels()).size).toBe(1);
});

test('acknowledgement that is not wanted is not asked for', async () => {
  const { sink, server, paths } = await openSink({ acknowledgement: { enabled: false } });
  server.hasAcknowledgement = true;
  expect(await sink.send(batchOfRecords(records(2)), never)).toEqual(DELIVERED);
  expect(paths()).toEqual([EVENTS]);
});

test('what is not acknowledged in time is sent again, on another channel', async () => {
  const { sink, server, way, channels } = await openSink();
  server.hasAcknowledgement = true;
  const controller = new AbortController();
  way.react = (request) => {
    if (request.path === ACKS) controller.abort();
    return server.answer(request);
  };
  expect(await sink.send(batchOfRecords(records(1)), controller.signal)).toMatchObject({ kind: 'retry' });
  way.react = (request) => server.answer(request);
  expect(await sink.send(batchOfRecords(records(1)), never)).toEqual(DELIVERED);
  const [first, second] = new Set(channels());
  expect(second).not.toBe(first);
});

test('after a failure requests use another channel, and one that waits keeps asking on its own', async () => {
  const { sink, server, way } = await openSink();
  server.hasAcknowledgement = true;
  const controller = new AbortController();
  const asked = Promise.withResolvers<void>();
  way.react = (request) => {
    if (request.path === ACKS) asked.resolve();
    return server.answer(request);
  };
  const lost = sink.send(batchOfRecords([flowRecord(1)]), controller.signal);
  await asked.promise;
  // A collector that was restarted numbers acknowledgements from 0 again.
  server.crash();
  way.react = (request) => (request.path === EVENTS ? { kind: 'reset_after_body' } : server.answer(request));
  const second = batchOfRecords([flowRecord(2)]);
  expect(await sink.send(second, never)).toMatchObject({ kind: 'retry', cause: 'network' });
  way.react = (request) => server.answer(request);
  expect(await sink.send(second, never)).toEqual(DELIVERED);
  controller.abort();
  expect(await lost).toMatchObject({ kind: 'retry' });
  expect(server.indexed.map(({ event }) => event)).toEqual([flowRecord(2)]);
  const channelOf = (id: string) =>
    way.all.findLast(({ body }) => body.includes(`"${id}"`))?.headers[CHANNEL];
  expect(channelOf('r2')).not.toBe(channelOf('r1'));
});

test.each([
  [1, { event: '{"text":"Invalid data format","code":6}' }, 0],
  [3, 'r1', 0],
  [3, 'r2', 1],
  [3, 'r3', 2],
])(
  'of %i events %j is refused: those before are taken, those behind are sent again',
  async (count, bad, at) => {
    const { sink, server } = await openSink();
    server.isBroken = ({ event }) => typeof bad !== 'string' || (event as { id: string }).id === bad;
    const again = Array.from({ length: count - at - 1 }, (_, n) => at + 1 + n);
    const outcome = await sink.send(batchOfRecords(records(count)), never);
    expect(outcome).toMatchObject({
      kind: 'delivered',
      refused: [{ index: at, reason: expect.stringContaining('Invalid data format') }],
    });
    expect((outcome as { again?: number[] }).again ?? []).toEqual(again);
    expect(server.indexed).toHaveLength(at);
  },
);

const code = (status: number, number: number, more: object = {}): Reaction => ({
  kind: 'answer',
  status,
  body: JSON.stringify({ text: 'why', code: number, ...more }),
  headers: { 'retry-after': '7' },
});

test.each([
  ['token disabled', code(403, 1), { kind: 'retry', cause: 'unauthorized' }],
  ['token required', code(401, 2), { kind: 'retry', cause: 'unauthorized' }],
  ['invalid authorization', code(401, 3), { kind: 'retry', cause: 'unauthorized' }],
  ['invalid token', code(403, 4), { kind: 'retry', cause: 'unauthorized' }],
  ['no data', code(400, 5), { kind: 'retry', cause: 'error' }],
  ['invalid format, no event named', code(400, 6), { kind: 'rejected' }],
  [
    'invalid format, an event that was not sent',
    code(400, 6, { 'invalid-event-number': 9 }),
    { kind: 'rejected' },
  ],
  ['incorrect index', code(400, 7, { 'invalid-event-number': 1 }), { kind: 'retry', cause: 'error' }],
  ['internal error', code(500, 8), { kind: 'retry', cause: 'error' }],
  ['busy', code(503, 9), { kind: 'retry', cause: 'busy', afterMs: 7000 }],
  ['channel missing', code(400, 10), { kind: 'retry', cause: 'error' }],
  ['invalid channel', code(400, 11), { kind: 'retry', cause: 'error' }],
  ['event required', code(400, 12, { 'invalid-event-number': 0 }), { kind: 'delivered', again: [1] }],
  [
    'event blank',
    code(400, 13, { 'invalid-event-number': 1 }),
    { kind: 'delivered', refused: [{ index: 1 }] },
  ],
  ['acknowledgement disabled', code(400, 14), { kind: 'retry', cause: 'error' }],
  ['indexed fields', code(400, 15, { 'invalid-event-number': 0 }), { kind: 'delivered', again: [1] }],
  ['shutting down', code(503, 23), { kind: 'retry', cause: 'busy' }],
  ['too large', { kind: 'answer', status: 413 } as Reaction, { kind: 'too_large' }],
  [
    'another server',
    { kind: 'answer', status: 200, body: '<html>' } as Reaction,
    { kind: 'retry', cause: 'error' },
  ],
])('%s', async (_name, reaction, outcome) => {
  const { sink, way } = await openSink();
  way.react = () => reaction;
  expect(await sink.send(batchOfRecords(records(2)), never)).toMatchObject(outcome);
});

test.each([
  ['busy', code(503, 9), 'busy'],
  ['disabled', code(400, 14), 'error'],
  ['none', { kind: 'answer', status: 200, body: 'ok' } as Reaction, 'error'],
])('a question about an acknowledgement that is answered with %s', async (_name, reaction, cause) => {
  const { sink, server, way } = await openSink();
  server.hasAcknowledgement = true;
  way.react = (request) => (request.path === ACKS ? reaction : server.answer(request));
  expect(await sink.send(batchOfRecords(records(2)), never)).toMatchObject({ kind: 'retry', cause });
});
