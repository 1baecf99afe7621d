import { expect, onTestFinished, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { cloudwatchLogsSinkSchema } from '../../agent/config/sinks/cloudwatch-logs.ts';
import { CloudwatchLogsSink } from '../../sinks/cloudwatch-logs.ts';
import {
  ACCESS_KEY_ID,
  CloudwatchLogsFixture,
  failed,
  REGION,
  SECRET_ACCESS_KEY,
} from './aws/cloudwatch-logs-fixture.ts';
import type { Reaction } from './http-fixture.ts';
import { batchOfRecords } from './outgoing.ts';

const never = new AbortController().signal;
const DELIVERED = { kind: 'delivered' };
const GROUP = '/flows/prod';
const STREAM = 'node-1';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

async function startService(): Promise<CloudwatchLogsFixture> {
  const service = new CloudwatchLogsFixture();
  await service.start();
  onTestFinished(() => service.kill());
  return service;
}

async function openSink(service: CloudwatchLogsFixture, options: Record<string, unknown> = {}) {
  const warnings: string[] = [];
  const parsed = z.parse(cloudwatchLogsSinkSchema, {
    type: 'cloudwatch_logs',
    name: 'flows',
    group_name: GROUP,
    stream_name: STREAM,
    region: REGION,
    endpoint: service.origin,
    access_key_id: ACCESS_KEY_ID,
    secret_access_key: SECRET_ACCESS_KEY,
    ...options,
  });
  const sink = new CloudwatchLogsSink(parsed, { warn: (message) => warnings.push(message), stop() {} });
  await sink.open();
  onTestFinished(() => sink.close());
  return { sink, warnings };
}

function record(id: string, ms: number) {
  return { id, timestamp: new Date(ms).toISOString() };
}

test('a record is one event at its own time, the events in the order of time', async () => {
  const service = await startService();
  service.addStream(GROUP, STREAM);
  const { sink } = await openSink(service);
  const now = service.nowMs;
  const records = [
    record('b', now),
    { ...record('ü', now), more: '"\u0001\ud83d\ude00' },
    record('a', now - 1),
  ];
  expect(await sink.send(batchOfRecords(records), never)).toEqual(DELIVERED);
  expect(service.events(GROUP, STREAM)).toEqual([
    { timestamp: now - 1, message: JSON.stringify(records[2]) },
    { timestamp: now, message: JSON.stringify(records[0]) },
    { timestamp: now, message: JSON.stringify(records[1]) },
  ]);
  expect(service.operations).toEqual(['PutLogEvents']);
});

test('a record without a time gets that of sending', async () => {
  const service = await startService();
  service.addStream(GROUP, STREAM);
  const { sink } = await openSink(service);
  await sink.send(batchOfRecords([{ id: 'a', message: 'm' }]), never);
  expect(Math.abs(service.events(GROUP, STREAM)[0]!.timestamp - Date.now())).toBeLessThan(60_000);
});

/** Records whose messages have so many bytes, one behind the other in time. */
const spread = (count: number, bytes: number, stepMs: number) => (nowMs: number) =>
  Array.from({ length: count }, (_, n) => {
    const bare = { ...record(`${n}`.padStart(5, '0'), nowMs - n * stepMs), padding: '' };
    return { ...bare, padding: 'x'.repeat(Math.max(0, bytes - JSON.stringify(bare).length)) };
  });

test.each([
  ['1 MiB, with 26 bytes for each event', spread(2, 524_288 - 26, 1), 1],
  ['1 MiB and two bytes', spread(2, 524_288 - 25, 1), 2],
  ['10,000 events', spread(10_001, 1, 1), 2],
  ['24 hours', spread(3, 1, DAY_MS), 2],
  ['24 hours and a millisecond', spread(3, 1, DAY_MS + 1), 3],
])('a batch is divided where a request would be larger than allowed: %s', async (_name, make, requests) => {
  const service = await startService();
  service.addStream(GROUP, STREAM);
  const { sink } = await openSink(service);
  const records = make(service.nowMs);
  expect(await sink.send(batchOfRecords(records), never)).toEqual(DELIVERED);
  expect(service.operations).toHaveLength(requests);
  expect(service.events(GROUP, STREAM)).toHaveLength(records.length);
});

test('an event that no request can hold is refused, and the others go', async () => {
  const service = await startService();
  service.addStream(GROUP, STREAM);
  const { sink } = await openSink(service);
  const large = { ...record('large', service.nowMs), padding: 'x'.repeat(1_048_576) };
  expect(await sink.send(batchOfRecords([record('a', service.nowMs), large]), never)).toEqual({
    kind: 'delivered',
    refused: [{ index: 1, reason: expect.stringMatching(/^\d+ bytes: an event has at most 1 MiB$/) }],
  });
  expect(service.events(GROUP, STREAM)).toHaveLength(1);
});

test('the largest event that fits is taken', async () => {
  const service = await startService();
  service.addStream(GROUP, STREAM);
  const { sink } = await openSink(service);
  const largest = spread(1, 1_048_576 - 26, 0)(service.nowMs);
  expect(await sink.send(batchOfRecords(largest), never)).toEqual(DELIVERED);
});

test('events that the service leaves out are refused, each with the reason', async () => {
  const service = await startService();
  service.addStream(GROUP, STREAM);
  service.groups.get(GROUP)!.retentionInDays = 7;
  const { sink } = await openSink(service);
  const at = [0, -15 * DAY_MS, -8 * DAY_MS, 3 * HOUR_MS, -DAY_MS];
  const batch = batchOfRecords(at.map((ms, n) => record(`r${n}`, service.nowMs + ms)));
  const outcome = await sink.send(batch, never);
  expect(outcome).toMatchObject({ kind: 'delivered' });
  expect('refused' in outcome && [...outcome.refused!].sort((a, b) => a.index - b.index)).toEqual([
    { index: 1, reason: 'more than 14 days old' },
    { index: 2, reason: 'older than what the log group keeps' },
    { index: 3, reason: 'more than 2 hours in the future' },
  ]);
  expect(service.events(GROUP, STREAM).map(({ message }) => JSON.parse(message).id)).toEqual(['r4', 'r0']);
});

test('a missing stream is created, and the group with its retention where that is asked for', async () => {
  const service = await startService();
  const { sink } = await openSink(service, { create_missing_group: true, retention_in_days: 30 });
  const batch = batchOfRecords([record('a', service.nowMs)]);
  expect(await sink.send(batch, never)).toEqual(DELIVERED);
  expect(service.operations).toEqual([
    'PutLogEvents',
    'CreateLogStream',
    'CreateLogGroup',
    'PutRetentionPolicy',
    'CreateLogStream',
    'PutLogEvents',
  ]);
  expect(service.groups.get(GROUP)!.retentionInDays).toBe(30);
  expect(await sink.send(batch, never)).toEqual(DELIVERED);
  expect(service.operations.slice(6)).toEqual(['PutLogEvents']);
});

test('what somebody else creates at the same time is as good', async () => {
  const service = await startService();
  const { sink } = await openSink(service, { create_missing_group: true, retention_in_days: 30 });
  service.failures.push(
    'ResourceNotFoundException',
    'ResourceNotFoundException',
    'ResourceAlreadyExistsException',
  );
  service.addStream(GROUP, STREAM);
  expect(await sink.send(batchOfRecords([record('a', service.nowMs)]), never)).toEqual(DELIVERED);
  // Whoever created the group has set its retention.
  expect(service.operations).not.toContain('PutRetentionPolicy');
});

test('a group whose retention cannot be set is used, and the log says so', async () => {
  const service = await startService();
  const { sink, warnings } = await openSink(service, { create_missing_group: true, retention_in_days: 30 });
  const serve = service.react;
  service.react = (request) =>
    request.headers['x-amz-target'] === 'Logs_20140328.PutRetentionPolicy'
      ? failed('AccessDeniedException', 'no')
      : serve(request);
  expect(await sink.send(batchOfRecords([record('a', service.nowMs)]), never)).toEqual(DELIVERED);
  expect(warnings).toEqual([expect.stringMatching(/cannot set the retention .*AccessDeniedException/)]);
});

test.each([
  [{ create_missing_stream: false }, ['PutLogEvents']],
  [{}, ['PutLogEvents', 'CreateLogStream']],
])('what must not be created is waited for: %j', async (options, operations) => {
  const service = await startService();
  const { sink } = await openSink(service, options);
  expect(await sink.send(batchOfRecords([record('a', service.nowMs)]), never)).toEqual({
    kind: 'retry',
    cause: 'error',
    reason: 'HTTP 400: ResourceNotFoundException: The specified log group does not exist.',
  });
  expect(service.operations).toEqual(operations);
});

const answer = (status: number, body: string, headers: Record<string, string> = {}): Reaction => ({
  kind: 'answer',
  status,
  body,
  headers,
});

test.each<[string, Reaction, object]>([
  [
    'throttled',
    failed('ThrottlingException', 'Rate exceeded'),
    { kind: 'retry', cause: 'busy', reason: 'HTTP 400: ThrottlingException: Rate exceeded' },
  ],
  [
    'a code with its name space',
    failed('com.amazonaws.logs#ThrottlingException', ''),
    { kind: 'retry', cause: 'busy' },
  ],
  [
    'a code in a header',
    answer(400, '{}', { 'x-amzn-errortype': 'ThrottlingException:http://internal/' }),
    { kind: 'retry', cause: 'busy' },
  ],
  ['unavailable', failed('ServiceUnavailableException', ''), { kind: 'retry', cause: 'busy' }],
  ['an expired token', failed('ExpiredTokenException', ''), { kind: 'retry', cause: 'unauthorized' }],
  ['no permission', failed('AccessDeniedException', ''), { kind: 'retry', cause: 'unauthorized' }],
  [
    'a batch that is refused',
    failed('InvalidParameterException', 'Log event too large'),
    { kind: 'rejected' },
  ],
  [
    'a name that is refused',
    failed('InvalidParameterException', "Value at 'logStreamName' failed to satisfy constraint"),
    { kind: 'retry', cause: 'error' },
  ],
  [
    'a request that is not understood',
    failed('SerializationException', ''),
    { kind: 'retry', cause: 'error' },
  ],
  ['too large on the way', answer(413, ''), { kind: 'too_large' }],
  ['an error without words', answer(500, ''), { kind: 'retry', cause: 'error' }],
  ['no such service', answer(200, '<html>'), { kind: 'retry', cause: 'error' }],
])('an answer: %s', async (_name, reaction, outcome) => {
  const service = await startService();
  service.addStream(GROUP, STREAM);
  const { sink } = await openSink(service);
  service.react = () => reaction;
  expect(await sink.send(batchOfRecords([record('a', service.nowMs)]), never)).toMatchObject(outcome);
});

test.each([
  ['a wrong secret', { secret_access_key: 'wrong' }, 'InvalidSignatureException'],
  ['an unknown key', { access_key_id: 'AKIANOBODY' }, 'UnrecognizedClientException'],
  ['another region', { region: 'us-east-1' }, 'InvalidSignatureException'],
])('%s is refused as unauthorized', async (_name, options, code) => {
  const service = await startService();
  service.addStream(GROUP, STREAM);
  const { sink } = await openSink(service, options);
  expect(await sink.send(batchOfRecords([record('a', service.nowMs)]), never)).toMatchObject({
    kind: 'retry',
    cause: 'unauthorized',
    reason: expect.stringContaining(code),
  });
});

test('without credentials anywhere the records wait, and the reason says where they could be', async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', 'http://127.0.0.1:1');
  onTestFinished(() => void vi.unstubAllEnvs());
  const service = await startService();
  const { sink } = await openSink(service, { access_key_id: undefined, secret_access_key: undefined });
  expect(await sink.send(batchOfRecords([record('a', service.nowMs)]), never)).toMatchObject({
    kind: 'retry',
    cause: 'unauthorized',
    reason: expect.stringMatching(/^no AWS credentials: none in the configuration .* hop limit of 2/),
  });
  expect(service.all).toEqual([]);
});

test.each([
  [{ retention_in_days: 30 }, 'belongs to create_missing_group: true'],
  [{ create_missing_group: true, create_missing_stream: false }, /a new group has no stream/],
  [{ stream_name: 'a:b' }, /without : and \*/],
])('refused by the schema: %j', (options, message) => {
  const config = {
    type: 'cloudwatch_logs',
    name: 'x',
    group_name: 'g',
    stream_name: 's',
    region: 'r',
    ...options,
  };
  expect(z.safeParse(cloudwatchLogsSinkSchema, config).error?.issues[0]?.message).toMatch(message);
});
