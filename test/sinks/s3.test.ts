import { createHash } from 'node:crypto';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { s3SinkSchema } from '../../agent/config/sinks/s3.ts';
import { SAME_CUT_MS_MIN } from '../../agent/delivery/collect.ts';
import { S3Sink } from '../../sinks/s3.ts';
import { ShapedSink } from '../../sinks/shaped-sink.ts';
import { verifySignature } from './aws/verify-signature.ts';
import { HttpFixture } from './http-fixture.ts';
import { batchOfRecords } from './outgoing.ts';

const never = new AbortController().signal;
const DELIVERED = { kind: 'delivered' };
const KEYS = { access_key_id: 'AKID', secret_access_key: 'SECRET' };
const OK = { kind: 'answer', status: 200, headers: { etag: '"1"' } } as const;

async function startStore(): Promise<HttpFixture> {
  const store = new HttpFixture();
  await store.start();
  store.react = () => OK;
  onTestFinished(() => store.kill());
  return store;
}

async function openSink(endpoint: string, options: Record<string, unknown> = {}): Promise<S3Sink> {
  const parsed = z.parse(s3SinkSchema, {
    type: 's3',
    name: 'archive',
    bucket: 'flows',
    region: 'eu-central-1',
    endpoint,
    ...KEYS,
    ...options,
  });
  const sink = new S3Sink(parsed, { warn() {}, stop() {} });
  await sink.open();
  onTestFinished(() => sink.close());
  return sink;
}

function record(id: string, timestamp: string, node = 'node-1') {
  return { id, node_name: node, src: { timestamp: 'not this one' }, timestamp };
}

const TEN = [record('a1', '2026-11-21T10:15:02.104233Z'), record('a2', '2026-11-21T10:19:59Z')];

test('a batch of one hour is one object, in the folder of that hour, named after its first and last record', async () => {
  const store = await startStore();
  const sink = await openSink(store.origin, { cluster: 'prod', session_token: 'TOKEN' });
  expect(await sink.send(batchOfRecords(TEN), never)).toEqual(DELIVERED);
  const [put, ...others] = store.accepted;
  expect(others).toEqual([]);
  expect(put).toMatchObject({
    method: 'PUT',
    path: '/flows/policy-log-agent/cluster%3Dprod/dt%3D2026-11-21/hour%3D10/node-1-20261121T101502Z_a1-20261121T101959Z_a2.ndjson.gz',
    headers: {
      'content-type': 'application/gzip',
      'x-amz-checksum-sha256': createHash('sha256').update(put!.bytes).digest('base64'),
      'x-amz-security-token': 'TOKEN',
    },
  });
  expect(put!.headers).not.toHaveProperty('content-encoding');
  expect(gunzipSync(put!.bytes).toString()).toBe(TEN.map((one) => `${JSON.stringify(one)}\n`).join(''));
  expect(verifySignature(put!, (id) => (id === 'AKID' ? 'SECRET' : undefined))).toEqual({
    accessKeyId: 'AKID',
    region: 'eu-central-1',
    service: 's3',
  });
});

test.each([
  ['none', '.ndjson', 'application/x-ndjson', (bytes: Buffer) => bytes],
  ['zstd', '.ndjson.zst', 'application/zstd', zstdDecompressSync],
])('compression: %s', async (compression, suffix, contentType, unpack) => {
  const store = await startStore();
  const sink = await openSink(store.origin, { compression });
  expect(await sink.send(batchOfRecords(TEN), never)).toEqual(DELIVERED);
  const [put] = store.accepted;
  expect(put!.path.endsWith(`_a2${suffix}`)).toBe(true);
  expect(put!.headers['content-type']).toBe(contentType);
  expect(unpack(put!.bytes).toString().split('\n')).toHaveLength(3);
});

test('the same records give the same key and the same bytes', async () => {
  const store = await startStore();
  for (let n = 0; n < 2; n++) {
    await (await openSink(store.origin)).send(batchOfRecords(TEN), never);
  }
  const [first, second] = store.accepted;
  expect(second!.path).toBe(first!.path);
  expect(second!.bytes).toEqual(first!.bytes);
});

test('every record stands in the folder of its own hour', async () => {
  const store = await startStore();
  const sink = await openSink(store.origin, { compression: 'none', key_prefix: '' });
  const batch = batchOfRecords([
    record('a', '2026-11-21T09:59:59.999Z'),
    record('b', '2026-11-21T10:00:00Z'),
    record('late', '2026-11-21T09:59:58Z'),
    { id: 'timeless', body: { timestamp: '2026-11-21T09:00:00Z' } },
    { id: 'escaped', message: '{"timestamp":"x', timestamp: '2026-11-21T10:00:01Z' },
  ]);
  expect(await sink.send(batch, never)).toEqual(DELIVERED);
  const objects = store.accepted.map(({ path, body }) => [
    decodeURIComponent(path).replace('/flows/dt=', ''),
    body.match(/(?<="id":")\w+/g)!.join(),
  ]);
  expect(objects).toEqual([
    ['2026-11-21/hour=09/node-1-20261121T095959Z_a-20261121T095958Z_late.ndjson', 'a,late'],
    ['2026-11-21/hour=10/node-1-20261121T100000Z_b-20261121T100001Z_escaped.ndjson', 'b,escaped'],
    ['__HIVE_DEFAULT_PARTITION__/hour=__HIVE_DEFAULT_PARTITION__/node-timeless-timeless.ndjson', 'timeless'],
  ]);
});

test('an encoding or a shape that takes the time from a record does not move it', async () => {
  const store = await startStore();
  const sink = new ShapedSink(await openSink(store.origin), ({ timestamp, ...rest }) => ({
    ...rest,
    when: timestamp,
  }));
  expect(await sink.send(batchOfRecords(TEN), never)).toEqual(DELIVERED);
  expect(store.accepted[0]!.path).toContain('/dt%3D2026-11-21/hour%3D10/node-1-20261121T101502Z_a1-');
});

test('what the schema takes as age is what makes the engine cut the same batches again', () => {
  const config = (ms: number) => ({
    type: 's3',
    name: 'x',
    bucket: 'b-1',
    region: 'r',
    batch: { age_max: `${ms}ms` },
  });
  expect(z.safeParse(s3SinkSchema, config(SAME_CUT_MS_MIN)).success).toBe(true);
  expect(z.safeParse(s3SinkSchema, config(SAME_CUT_MS_MIN - 1)).success).toBe(false);
});

test('when the second of three hours fails, its records and those behind it are sent again', async () => {
  const store = await startStore();
  const sink = await openSink(store.origin);
  store.react = ({ path }) =>
    path.includes('hour%3D10') ? { kind: 'answer', status: 503, headers: { 'retry-after': '7' } } : OK;
  const times = ['09:00:00', '10:00:00', '11:00:00', '09:00:01', '10:00:01'];
  const batch = batchOfRecords(times.map((time, n) => record(`r${n}`, `2026-11-21T${time}Z`)));
  expect(await sink.send(batch, never)).toEqual({
    kind: 'delivered',
    again: [1, 2, 4],
    reason: 'HTTP 503',
    afterMs: 7000,
  });
});

test('encryption, storage class and ACL as configured', async () => {
  const store = await startStore();
  const sink = await openSink(store.origin, {
    server_side_encryption: 'aws:kms',
    ssekms_key_id: 'arn:aws:kms:eu-central-1:1:key/k',
    bucket_key_enabled: true,
    storage_class: 'STANDARD_IA',
    acl: 'bucket-owner-full-control',
  });
  await sink.send(batchOfRecords(TEN), never);
  expect(store.accepted[0]!.headers).toMatchObject({
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:eu-central-1:1:key/k',
    'x-amz-server-side-encryption-bucket-key-enabled': 'true',
    'x-amz-storage-class': 'STANDARD_IA',
    'x-amz-acl': 'bucket-owner-full-control',
  });
});

test.each([
  [301, 'PermanentRedirect', { kind: 'retry', cause: 'error' }],
  [400, 'AuthorizationHeaderMalformed', { kind: 'retry', cause: 'unauthorized' }],
  [400, 'ExpiredToken', { kind: 'retry', cause: 'unauthorized' }],
  [400, 'EntityTooLarge', { kind: 'too_large' }],
  [400, 'RequestTimeout', { kind: 'retry', cause: 'error' }],
  [400, 'InvalidStorageClass', { kind: 'retry', cause: 'error' }],
  [403, 'AccessDenied', { kind: 'retry', cause: 'unauthorized', reason: 'HTTP 403: AccessDenied: why' }],
  [403, 'SignatureDoesNotMatch', { kind: 'retry', cause: 'unauthorized' }],
  [404, 'NoSuchBucket', { kind: 'retry', cause: 'error', reason: 'HTTP 404: NoSuchBucket: why' }],
  [409, 'OperationAborted', { kind: 'retry', cause: 'error' }],
  [413, '', { kind: 'too_large' }],
  [500, 'InternalError', { kind: 'retry', cause: 'error' }],
  [503, 'SlowDown', { kind: 'retry', cause: 'busy', afterMs: 7000 }],
])('HTTP %i %s', async (status, code, outcome) => {
  const store = await startStore();
  const body = code && `<Error><Code>${code}</Code><Message>why</Message><RequestId>1</RequestId></Error>`;
  store.react = () => ({ kind: 'answer', status, body, headers: { 'retry-after': '7' } });
  const sink = await openSink(store.origin);
  expect(await sink.send(batchOfRecords(TEN), never)).toMatchObject(outcome);
});

test('200 from what is no object store delivers nothing', async () => {
  const store = await startStore();
  store.react = () => ({ kind: 'answer', status: 200, body: '<html>please log in</html>' });
  const sink = await openSink(store.origin);
  expect(await sink.send(batchOfRecords(TEN), never)).toMatchObject({ kind: 'retry', cause: 'error' });
});

test.each([
  [{ server_side_encryption: 'AES256', ssekms_key_id: 'k' }, 'belongs to server_side_encryption: aws:kms'],
  [{ access_key_id: 'a' }, 'access_key_id and secret_access_key go together, and session_token with them'],
  [{ session_token: 'a' }, 'access_key_id and secret_access_key go together, and session_token with them'],
  [{ batch: { age_max: '5s' } }, 'a duration from 10s to 24d'],
  [{ key_prefix: '/logs/' }, 'empty, or a path like `logs/`'],
])('refused by the schema: %j', (options, message) => {
  const config = { type: 's3', name: 'x', bucket: 'b-1', region: 'r', ...options };
  expect(z.safeParse(s3SinkSchema, config).error?.issues[0]?.message).toBe(message);
});
