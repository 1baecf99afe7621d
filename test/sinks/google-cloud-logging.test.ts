import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { googleCloudLoggingSinkSchema } from '../../agent/config/sinks/google-cloud-logging.ts';
import { compileShape } from '../../agent/stages/shape.ts';
import { judgeWriteAnswer } from '../../sinks/google-cloud-logging/write-answer.ts';
import { GoogleCloudLoggingSink } from '../../sinks/google-cloud-logging.ts';
import { ShapedSink } from '../../sinks/shaped-sink.ts';
import { GoogleCloud, WRITE_PATH } from './google-cloud-logging/cloud.ts';
import { findEntries } from './google-cloud-logging/logging-query.ts';
import { batchOfRecords } from './outgoing.ts';
import { flowRecord } from './records.ts';

const never = new AbortController().signal;
const DELIVERED = { kind: 'delivered' };

async function startCloud(): Promise<GoogleCloud> {
  const cloud = new GoogleCloud();
  await cloud.server.start();
  onTestFinished(() => cloud.server.kill());
  return cloud;
}

async function openSink(cloud: GoogleCloud, options: Record<string, unknown> = {}) {
  const sink = new GoogleCloudLoggingSink(
    z.parse(googleCloudLoggingSinkSchema, {
      type: 'google_cloud_logging',
      name: 'cloud',
      url: cloud.server.origin,
      metadata_url: cloud.server.origin,
      ...options,
    }),
    { warn() {}, stop() {} },
  );
  await sink.open();
  onTestFinished(() => sink.close());
  return sink;
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'google-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const at = (n: number) => batchOfRecords([flowRecord(n)]);

test('a batch becomes one request, which the published messages describe', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud, { labels: { env: 'test' } });
  const elsewhere = { ...flowRecord(2), node_name: 'node-2', timestamp: '2021-04-01T12:42:32.1898720941Z' };
  expect(await sink.send(batchOfRecords([flowRecord(1), elsewhere, flowRecord(3)]), never)).toEqual(
    DELIVERED,
  );
  const { path, headers, body } = cloud.server.all.at(-1)!;
  expect(path).toBe(WRITE_PATH);
  expect(headers).toMatchObject({
    authorization: 'Bearer token-1',
    'content-type': 'application/json',
    'content-encoding': 'gzip',
  });
  const node = (node_name: string) => ({
    type: 'k8s_node',
    labels: { project_id: 'a-project', location: 'europe-west1-b', cluster_name: 'a-cluster', node_name },
  });
  const payload = (n: number, changes: object = {}) => {
    const { id, timestamp, src, ...record } = flowRecord(n);
    return { ...record, src: { ...src, pod_namespace: 'shop ü' }, ...changes };
  };
  expect(JSON.parse(body)).toEqual({
    logName: 'projects/a-project/logs/policy-action',
    resource: node('node-1'),
    labels: { env: 'test' },
    partialSuccess: true,
    entries: [
      {
        insertId: 'r1',
        timestamp: '2026-09-21T14:13:20.001Z',
        severity: 'WARNING',
        jsonPayload: payload(1),
      },
      {
        insertId: 'r2',
        timestamp: '2021-04-01T12:42:32.189872094Z',
        severity: 'WARNING',
        resource: node('node-2'),
        jsonPayload: payload(2, { node_name: 'node-2' }),
      },
      { insertId: 'r3', timestamp: '2026-09-21T14:13:20.003Z', severity: 'INFO', jsonPayload: payload(3) },
    ],
  });
});

test.each([
  ['unknown', undefined, 'NOTICE'],
  [undefined, 'summary', 'WARNING'],
  [undefined, 'audit', 'INFO'],
])('severity of disposition %s, log type %s', async (disposition, log_type, severity) => {
  const cloud = await startCloud();
  const sink = await openSink(cloud);
  expect(await sink.send(batchOfRecords([{ id: 'a', disposition, log_type }]), never)).toEqual(DELIVERED);
  expect(cloud.entries).toMatchObject([{ insertId: 'a', severity }]);
});

test('the queries of GKE’s page work on what arrives', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud);
  const allowed = {
    ...flowRecord(3),
    policies: [
      { name: 'other', namespace: 'x' },
      { name: 'allow-frontend-to-db', namespace: 'default' },
    ],
    dest: { pod_name: 'redis-0', namespace: 'default' },
  };
  const probe = { ...flowRecord(6), policies: [{ name: '' }], dest: { pod_name: 'web', namespace: 'x' } };
  const old = { ...flowRecord(1), timestamp: '2020-06-22T06:30:51.127999999Z' };
  await sink.send(batchOfRecords([old, flowRecord(2), allowed, probe]), never);
  const ids = (query: string) => findEntries(cloud.entries, query).map(({ insertId }) => insertId);
  expect(ids('jsonPayload.disposition="deny"')).toEqual(['r1', 'r2']);
  expect(ids('jsonPayload.dest.pod_name=~"redis"\njsonPayload.dest.pod_namespace="default"')).toEqual(['r3']);
  expect(ids('jsonPayload.dest.instance != ""')).toEqual(['r1', 'r2']);
  expect(
    ids('jsonPayload.policies.name="allow-frontend-to-db"\njsonPayload.policies.namespace="default"'),
  ).toEqual(['r3']);
  expect(ids('timestamp>="2020-06-22T06:30:51.128Z"')).toEqual(['r2', 'r3', 'r6']);
  expect(ids('resource.type="k8s_node"\nresource.labels.node_name="node-1"\nseverity="INFO"')).toEqual([
    'r3',
    'r6',
  ]);
});

test('what GKE wrote arrives as GKE would have written it', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud);
  const src = { pod_name: 'a', pod_namespace: 'n', namespace: 'n', workload_kind: 'ReplicaSet' };
  const dest = { instance: '10.0.0.1' };
  await sink.send(batchOfRecords([{ ...flowRecord(1), src, dest }]), never);
  expect(cloud.entries[0]!.jsonPayload).toMatchObject({ src, dest });
  expect(Object.keys(cloud.entries[0]!.jsonPayload)).not.toContain('timestamp');
});

test('a shape changes the payload, and not what makes an entry unique', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud);
  const drop = ['id', 'timestamp', 'src', 'dest', 'node_name'];
  await new ShapedSink(sink, compileShape({ drop, rename: {} })).send(at(1), never);
  const [{ insertId, timestamp, resource, jsonPayload }] = cloud.entries as [GoogleCloud['entries'][number]];
  expect({ insertId, timestamp }).toEqual({ insertId: 'r1', timestamp: '2026-09-21T14:13:20.001Z' });
  expect(resource.labels.node_name).toBe('node-1');
  expect(jsonPayload).not.toHaveProperty('src');
});

test('a shape may put something else in the place of an end', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud);
  const shape = compileShape({ drop: ['dest'], rename: { 'src.pod_name': 'src' } });
  expect(await new ShapedSink(sink, shape).send(at(1), never)).toEqual(DELIVERED);
  expect(cloud.entries[0]!.jsonPayload.src).toBe('web-1');
});

test('a token is asked for once, and again before its end', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud);
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  await sink.send(at(1), never);
  vi.advanceTimersByTime(55 * 60_000);
  await sink.send(at(2), never);
  expect(cloud.tokensGiven).toBe(1);
  vi.advanceTimersByTime(2 * 60_000);
  await sink.send(at(3), never);
  expect(cloud.tokensGiven).toBe(2);
  expect(cloud.entries).toHaveLength(3);
});

test('while no new token can be had, the old one serves to its end', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud);
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  await sink.send(at(1), never);
  cloud.fault = ({ path }) => (path === WRITE_PATH ? undefined : { kind: 'answer', status: 503 });
  vi.advanceTimersByTime(58 * 60_000);
  expect(await sink.send(at(2), never)).toEqual(DELIVERED);
  vi.advanceTimersByTime(3 * 60_000);
  expect(await sink.send(at(3), never)).toMatchObject({ kind: 'retry', reason: /no metadata server/ });
});

test('a token that is refused before its time is replaced at the next attempt', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud);
  await sink.send(at(1), never);
  cloud.revokeTokens();
  expect(await sink.send(at(2), never)).toMatchObject({ kind: 'retry', cause: 'error', reason: /HTTP 401/ });
  expect(await sink.send(at(2), never)).toEqual(DELIVERED);
  expect(cloud.tokensGiven).toBe(2);
});

test('credentials are refused when a new token is', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud);
  cloud.fault = ({ path }) => {
    if (path === WRITE_PATH) cloud.revokeTokens();
    return undefined;
  };
  expect(await sink.send(at(1), never)).toMatchObject({ kind: 'retry', cause: 'unauthorized' });
});

test('requests at once share one token', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud, { project_id: 'p', location: 'l', cluster_name: 'c', concurrency: 3 });
  await Promise.all([1, 2, 3].map((n) => sink.send(at(n), never)));
  expect(cloud.tokensGiven).toBe(1);
  expect(cloud.entries).toHaveLength(3);
});

test('with a key file: a signed assertion, its project, and a proper token', async () => {
  const cloud = await startCloud();
  const path = join(makeFolder(), 'key.json');
  cloud.writeKeyFile(path);
  const sink = await openSink(cloud, { credentials_path: path });
  expect(await sink.send(at(1), never)).toEqual(DELIVERED);
  expect(cloud.entries).toMatchObject([
    {
      logName: 'projects/key-project/logs/policy-action',
      resource: { labels: { project_id: 'key-project', location: 'europe-west1-b' } },
    },
  ]);
  expect(cloud.server.all.map(({ path }) => path)).not.toContain(
    '/computeMetadata/v1/instance/service-accounts/default/token',
  );
});

test('a key that the token endpoint does not know is refused', async () => {
  const cloud = await startCloud();
  const path = join(makeFolder(), 'key.json');
  cloud.writeKeyFile(path, { private_key_id: 'key-2' });
  const sink = await openSink(cloud, { credentials_path: path });
  expect(await sink.send(at(1), never)).toMatchObject({
    kind: 'retry',
    cause: 'unauthorized',
    reason: /cannot get a token from .*invalid_grant/,
  });
});

test('a file that is no key is refused when the sink is opened', async () => {
  const cloud = await startCloud();
  const path = join(makeFolder(), 'key.json');
  writeFileSync(path, '{"type": "authorized_user"}');
  await expect(openSink(cloud, { credentials_path: path })).rejects.toThrow('its type is authorized_user');
});

test.each([
  ['project/project-id', 'project_id'],
  ['instance/attributes/cluster-location', 'location'],
  ['instance/attributes/cluster-name', 'cluster_name'],
])('without %s there, %s must be configured', async (path, key) => {
  const cloud = await startCloud();
  cloud.metadata.delete(path);
  const waits = await (await openSink(cloud)).send(at(1), never);
  expect(waits).toMatchObject({
    kind: 'retry',
    cause: 'error',
    reason: `the metadata server does not know ${path}: set ${key}`,
  });
  expect(await (await openSink(cloud, { [key]: 'mine' })).send(at(1), never)).toEqual(DELIVERED);
  expect(JSON.stringify(cloud.entries[0])).toContain('"mine"');
});

test('a proxy of the environment is not asked for metadata', async () => {
  const cloud = await startCloud();
  vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:1');
  vi.stubEnv('http_proxy', 'http://127.0.0.1:1');
  onTestFinished(() => void vi.unstubAllEnvs());
  const sink = await openSink(cloud);
  expect(await sink.send(at(1), never)).toMatchObject({ kind: 'retry', cause: 'network' });
  expect(cloud.server.all.map(({ path }) => path)).toHaveLength(4);
});

test('a request that is too large is not sent, and an entry that is too large is refused alone', async () => {
  const cloud = await startCloud();
  const sink = await openSink(cloud);
  const padded = (n: number, bytes: number) => ({ ...flowRecord(n), padding: 'x'.repeat(bytes) });
  const tooLarge = Array.from({ length: 50 }, (_, n) => padded(n, 200 << 10));
  expect(await sink.send(batchOfRecords(tooLarge), never)).toMatchObject({ kind: 'too_large' });
  expect(await sink.send(batchOfRecords([padded(1, 1), padded(2, 256 << 10), padded(3, 1)]), never)).toEqual({
    kind: 'delivered',
    refused: [{ index: 1, reason: 'Log entry is too large (code 3)' }],
  });
  expect(cloud.entries.map(({ insertId }) => insertId)).toEqual(['r1', 'r3']);
});

const error = (details?: object[]) => JSON.stringify({ error: { code: 400, message: 'no', details } });
const partial = (errors: object) =>
  error([{ '@type': 'type.googleapis.com/google.rpc.Help' }, { logEntryErrors: errors }]);

test.each([
  [200, '{}', DELIVERED],
  [400, error(), { kind: 'rejected' }],
  [400, 'nonsense', { kind: 'rejected' }],
  [400, partial({ 1: { code: 3, message: 'bad' } }), { refused: [{ index: 1, reason: 'bad (code 3)' }] }],
  [429, partial({ 2: { code: 8 }, 0: { code: 14 } }), { again: [0, 2], refused: [] }],
  [400, partial({ 0: { code: 3 }, 1: { code: 13 } }), { again: [1], refused: [{ index: 0 }] }],
  [401, error(), { kind: 'retry', cause: 'unauthorized' }],
  [403, partial({ 0: { code: 7 } }), { kind: 'retry', cause: 'unauthorized' }],
  [404, error(), { kind: 'retry', cause: 'error' }],
  [413, '', { kind: 'too_large' }],
  [429, error(), { kind: 'retry', cause: 'busy', afterMs: 7000 }],
  [500, error(), { kind: 'retry', cause: 'error' }],
  [503, error(), { kind: 'retry', cause: 'busy', afterMs: 7000 }],
])('HTTP %i %s', (status, body, outcome) => {
  const bytes = Buffer.from(body);
  const answer = { status, headers: { 'retry-after': '7' }, body, bytes, isCut: false };
  expect(judgeWriteAnswer(answer, 0)).toMatchObject(outcome);
});

test.each([
  [{ credentials_path: 'key.json' }, 'an absolute path'],
  [{ log_id: 'a b' }, 'letters, digits'],
  [{ url: 'ftp://x' }, 'an http or https URL'],
])('refuses %j', (options, message) => {
  const input = { type: 'google_cloud_logging', name: 'cloud', ...options };
  expect(() => z.parse(googleCloudLoggingSinkSchema, input)).toThrow(message);
});
