import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createSink } from '../../../sinks/index.ts';
import { AgentProcess } from '../../helpers/agent-process.ts';
import { PolicyActionLines } from '../../helpers/generate-lines.ts';
import { conforms } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { batchOfRecords } from '../../sinks/outgoing.ts';
import { flowRecord } from '../../sinks/records.ts';
import { KMS_KEY, Minio } from '../servers/minio.ts';
import { s3Conformance } from './s3.ts';

const context = { warn() {}, stop() {} };
const never = new AbortController().signal;
const DELIVERED = { kind: 'delivered' };
let minio: Minio;

beforeAll(async () => {
  minio = await Minio.start();
  await minio.createBucket('flows');
});
afterAll(() => minio.close());

conforms(s3Conformance(() => minio));

/** Sends records as a sink that is configured so would. */
async function send(records: readonly object[], options: Record<string, unknown> = {}) {
  const config = configure({
    type: 's3',
    bucket: 'flows',
    region: minio.region,
    endpoint: minio.origin,
    access_key_id: minio.accessKeyId,
    secret_access_key: minio.secretAccessKey,
    ...options,
  });
  const sink = await createSink(config, context);
  await sink.open?.();
  onTestFinished(() => sink.close());
  return sink.send(batchOfRecords(records), never);
}

/** A record a minute, from 09:50 on. */
function minutely(count: number) {
  const start = Date.UTC(2026, 10, 21, 9, 50);
  return Array.from({ length: count }, (_, n) => ({
    ...flowRecord(n),
    timestamp: new Date(start + n * 60_000).toISOString(),
  }));
}

test('the denials of a pod in one hour: that hour alone is looked at', async () => {
  expect(await send(minutely(30), { key_prefix: 'query/', cluster: 'prod' })).toEqual(DELIVERED);
  const lines = await minio.lines('flows', 'query/cluster=prod/dt=2026-11-21/hour=10/');
  const found = lines
    .map((line) => JSON.parse(line))
    .filter(({ disposition, src }) => disposition === 'deny' && src.pod_name === 'web-11');
  expect(found.map(({ id }) => id)).toEqual(['r11']);
  expect(lines).toHaveLength(20);
  expect(await minio.list('flows', 'query/')).toEqual([
    'query/cluster=prod/dt=2026-11-21/hour=09/node-1-20261121T095000Z_r0-20261121T095900Z_r9.ndjson.gz',
    'query/cluster=prod/dt=2026-11-21/hour=10/node-1-20261121T100000Z_r10-20261121T101900Z_r29.ndjson.gz',
  ]);
});

test('a key of other characters is signed as the store reads it', async () => {
  const key_prefix = "p/a b+c=ü'(1)!*~$&,;:@/";
  expect(await send(minutely(1), { key_prefix })).toEqual(DELIVERED);
  expect((await minio.list('flows', 'p/'))[0]).toMatch(/^p\/a b\+c=ü/);
});

test.each([
  ['AES256', { server_side_encryption: 'AES256' }, { 'x-amz-server-side-encryption': 'AES256' }],
  [
    'a key of KMS',
    { server_side_encryption: 'aws:kms', ssekms_key_id: KMS_KEY },
    {
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': `arn:aws:kms:${KMS_KEY}`,
    },
  ],
])('encrypted by the store: %s', async (name, options, expected) => {
  const key_prefix = `encrypted/${name}/`;
  expect(await send(minutely(1), { key_prefix, ...options })).toEqual(DELIVERED);
  const { headers } = await minio.get('flows', (await minio.list('flows', key_prefix))[0]!);
  expect(Object.fromEntries(headers)).toMatchObject(expected);
});

test('a key of KMS that is not there: the records wait', async () => {
  const options = { server_side_encryption: 'aws:kms', ssekms_key_id: 'no-such-key' };
  expect(await send(minutely(1), options)).toMatchObject({ kind: 'retry', cause: 'error' });
});

test('an object is a packed file with its checksum, which no client unpacks on the way', async () => {
  expect(await send(minutely(1), { key_prefix: 'sum/' })).toEqual(DELIVERED);
  const { headers, bytes } = await minio.get('flows', (await minio.list('flows', 'sum/'))[0]!);
  expect(headers.get('content-type')).toBe('application/gzip');
  expect(headers.get('content-encoding')).toBeNull();
  const sha256 = createHash('sha256').update(bytes).digest('base64');
  expect(headers.get('x-amz-checksum-sha256')).toBe(sha256);
});

test.each([
  [
    'a wrong secret',
    { secret_access_key: 'wrong' },
    { cause: 'unauthorized', reason: /SignatureDoesNotMatch/ },
  ],
  ['an unknown key', { access_key_id: 'nobody' }, { cause: 'unauthorized', reason: /InvalidAccessKeyId/ }],
  ['a session token that is none', { session_token: 'x' }, { cause: 'unauthorized' }],
  ['another region', { region: 'us-west-2' }, { cause: 'unauthorized', reason: /eu-central-1/ }],
  ['no such bucket', { bucket: 'no-such-bucket' }, { cause: 'error', reason: /NoSuchBucket/ }],
  [
    'a storage class that is none',
    { storage_class: 'NOPE' },
    { cause: 'error', reason: /InvalidStorageClass/ },
  ],
])(
  '%s: the records wait',
  async (_name, options, { cause, reason = /./ }: { cause: string; reason?: RegExp }) => {
    expect(await send(minutely(1), options)).toEqual({
      kind: 'retry',
      cause,
      reason: expect.stringMatching(reason),
    });
  },
);

test('a role is assumed at a real STS, and its token goes with the request', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL_STS', minio.origin);
  onTestFinished(() => void vi.unstubAllEnvs());
  const assume_role = { arn: 'arn:aws:iam::123456789012:role/flows' };
  expect(await send(minutely(1), { key_prefix: 'role/', assume_role })).toEqual(DELIVERED);
  expect(await minio.list('flows', 'role/')).toHaveLength(1);
  const wrong = { assume_role, secret_access_key: 'wrong' };
  expect(await send(minutely(1), wrong)).toMatchObject({
    kind: 'retry',
    cause: 'unauthorized',
    reason: expect.stringMatching(/^no AWS credentials: .*signature/),
  });
});

test('an agent that is told to stop puts what it has, long before the object would be full', async () => {
  const folder = mkdtempSync(join(tmpdir(), 's3-agent-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'policy_action.log');
  const lines = new PolicyActionLines({
    startUs: Date.UTC(2026, 10, 21, 10) * 1000,
    seed: 5,
    linesPerSecond: 10,
  });
  writeFileSync(path, Array.from({ length: 100 }, () => lines.next()).join(''));
  const agent = new AgentProcess(folder, {
    node: 'node-9',
    inputs: [{ type: 'file', format: 'policy_action', paths: [path], start: 'beginning' }],
    state: { path: join(folder, 'state') },
    sinks: [
      {
        name: 'archive',
        type: 's3',
        bucket: 'flows',
        region: minio.region,
        endpoint: minio.origin,
        key_prefix: 'stopped/',
        access_key_id: minio.accessKeyId,
        secret_access_key: minio.secretAccessKey,
      },
    ],
    http: { listen: '127.0.0.1:0' },
  });
  await agent.ready();
  await expect
    .poll(() => agent.metric('policy_log_agent_sink_backlog_records'), { timeout: 20_000 })
    .toBeGreaterThan(0);
  expect(await minio.list('flows', 'stopped/')).toEqual([]);
  const { code, accounts } = await agent.stop();
  expect(code).toBe(0);
  expect(await minio.lines('flows', 'stopped/')).toHaveLength(accounts!.records);
});
