import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { RecordBatch } from '../../../agent/delivery/batch.ts';
import { createSink } from '../../../sinks/index.ts';
import type { Outcome } from '../../../sinks/sink.ts';
import { AgentProcess } from '../../helpers/agent-process.ts';
import { conforms } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { flowRecord } from '../../sinks/records.ts';
import { type KafkaBroker, PASSWORD } from '../servers/kafka-broker.ts';
import { kafkaPlain, kafkaSecure, sharedBroker } from './kafka.ts';

afterAll(async () => (await sharedBroker()).close());

conforms(kafkaPlain);
conforms(kafkaSecure);

describe('a real Kafka', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await sharedBroker();
  });

  async function send(options: Record<string, unknown>, records: readonly object[]): Promise<Outcome> {
    const bootstrap = [`127.0.0.1:${broker.plain.port}`];
    const config = configure({
      type: 'kafka',
      bootstrap_servers: bootstrap,
      request_timeout: '5s',
      ...options,
    });
    const sink = await createSink(config, { warn() {}, stop() {} });
    onTestFinished(() => sink.close());
    await sink.open?.();
    const lines = records.map((record) => `${JSON.stringify(record)}\n`);
    const batch = new RecordBatch([Buffer.from(lines.join(''))], records.length);
    return sink.send(batch, AbortSignal.timeout(10_000));
  }

  const secure = (sasl: Record<string, unknown>) => ({
    bootstrap_servers: [`127.0.0.1:${broker.secure.port}`],
    tls: { ca_file: broker.certificates.ca },
    sasl: { username: 'agent', password: PASSWORD, ...sasl },
  });

  test('messages have the id in a header, the node as key, and go to the topic of their log type', async () => {
    await broker.createTopic('flows');
    await broker.createTopic('audits');
    const audit = { id: 'x', log_type: 'audit', body: {} };
    const records = [flowRecord(1), audit, flowRecord(2)];
    const options = { topic: 'flows', topics: { audit: 'audits' } };
    expect(await send(options, records)).toEqual({ kind: 'delivered' });
    const flows = await broker.consume('flows');
    expect(flows.map(({ key, headers, value }) => [key, headers, JSON.parse(value)])).toEqual([
      ['node-1', { id: 'r1' }, flowRecord(1)],
      ['node-1', { id: 'r2' }, flowRecord(2)],
    ]);
    expect(await broker.consume('audits')).toMatchObject([{ key: undefined, headers: { id: 'x' } }]);
  });

  test('a connection is in one partition, whoever begins the batch', async () => {
    await broker.createTopic('by-connection');
    const records = Array.from({ length: 60 }, (_, n) => ({ ...flowRecord(n % 6), id: `c${n}` }));
    expect(await send({ topic: 'by-connection', key: 'connection' }, records)).toEqual({ kind: 'delivered' });
    const messages = await broker.consume('by-connection');
    expect(messages).toHaveLength(60);
    const places = new Set(messages.map(({ key, partition }) => `${key} in ${partition}`));
    expect(places.size).toBe(6);
  });

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('compression: %s', async (compression) => {
    await broker.createTopic(`packed-${compression}`);
    expect(await send({ topic: `packed-${compression}`, compression }, [flowRecord(1)])).toEqual({
      kind: 'delivered',
    });
    expect(await broker.consume(`packed-${compression}`)).toHaveLength(1);
  });

  test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])(
    'SASL by %s, and a wrong password',
    async (mechanism) => {
      await broker.createTopic(`sasl-${mechanism}`);
      const options = { topic: `sasl-${mechanism}` };
      expect(await send({ ...options, ...secure({ mechanism }) }, [flowRecord(1)])).toEqual({
        kind: 'delivered',
      });
      const refused = await send({ ...options, ...secure({ mechanism, password: 'no' }) }, [flowRecord(2)]);
      expect(refused).toMatchObject({ kind: 'retry', cause: 'unauthorized' });
      expect(await broker.consume(`sasl-${mechanism}`)).toHaveLength(1);
    },
  );

  test.each<[string, Record<string, unknown>, object]>([
    [
      'a topic that is not there',
      { topic: 'nowhere' },
      { kind: 'retry', cause: 'network', reason: expect.stringMatching(/nowhere/) },
    ],
    [
      'a server that is not there',
      { topic: 'x', bootstrap_servers: ['127.0.0.1:1'] },
      { kind: 'retry', cause: 'network' },
    ],
  ])('%s', async (_, options, outcome) => {
    expect(await send(options, [flowRecord(1)])).toMatchObject(outcome);
  });

  test('a batch larger than the topic takes, and a record without the key that it wants', async () => {
    await broker.createTopic('small', { 'max.message.bytes': '2000' });
    expect(await send({ topic: 'small' }, [1, 2, 3, 4, 5, 6].map(flowRecord))).toMatchObject({
      kind: 'too_large',
      reason: expect.stringMatching(/^MESSAGE_TOO_LARGE/),
    });
    expect(await send({ topic: 'small' }, [flowRecord(1)])).toEqual({ kind: 'delivered' });
    await broker.createTopic('compacted', { 'cleanup.policy': 'compact' });
    expect(await send({ topic: 'compacted', key: 'none' }, [flowRecord(1)])).toMatchObject({
      kind: 'rejected',
      reason: expect.stringMatching(/^INVALID_RECORD/),
    });
  });

  test('the built agent has of the client all that it needs', async () => {
    await broker.createTopic('built');
    const dir = mkdtempSync(join(tmpdir(), 'kafka-agent-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const log = join(import.meta.dirname, '../../fixtures/policy-action/lines.log');
    const agent = new AgentProcess(
      dir,
      {
        inputs: [{ type: 'file', format: 'policy_action', paths: [log], start: 'beginning' }],
        sinks: ['gzip', 'zstd', 'lz4'].map((compression) => ({
          ...{ name: compression, type: 'kafka', topic: 'built', compression, encoding: { codec: 'cef' } },
          ...secure({}),
        })),
        state: { path: dir },
        http: { listen: '127.0.0.1:0' },
      },
      ['--once'],
    );
    const { code, accounts } = await agent.exited();
    expect(code).toBe(0);
    const messages = await broker.consume('built');
    expect(messages).toHaveLength(3 * accounts!.records);
    expect(messages.every(({ value }) => value.startsWith('CEF:0|policy-log-agent|'))).toBe(true);
  });
});
