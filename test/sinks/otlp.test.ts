import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { otlpSinkSchema } from '../../agent/config/sinks/otlp.ts';
import { compileShape } from '../../agent/stages/shape.ts';
import { attributesOf } from '../../sinks/otlp/attributes.ts';
import { encodeLogs } from '../../sinks/otlp/protobuf.ts';
import { OtlpSink } from '../../sinks/otlp.ts';
import { ShapedSink } from '../../sinks/shaped-sink.ts';
import { HttpFixture } from './http-fixture.ts';
import { batchOfRecords } from './outgoing.ts';
import { flowRecord } from './records.ts';

const never = new AbortController().signal;
const DELIVERED = { kind: 'delivered' };

async function openSink(options: Record<string, unknown> = {}) {
  const server = new HttpFixture();
  await server.start();
  onTestFinished(() => server.kill());
  const parsed = z.parse(otlpSinkSchema, { type: 'otlp', name: 'logs', url: server.origin, ...options });
  const sink = new OtlpSink(parsed, { warn() {}, stop() {} });
  await sink.open();
  onTestFinished(() => sink.close());
  return { sink, server };
}

/** What one request with these records says, as `http/json`. */
async function requestOf(records: readonly object[], options: Record<string, unknown> = {}) {
  const { sink, server } = await openSink({ protocol: 'http/json', ...options });
  expect(await sink.send(batchOfRecords(records), never)).toEqual(DELIVERED);
  return JSON.parse(server.accepted[0]!.body);
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const number = (key: string, intValue: string) => ({ key, value: { intValue } });

test('a batch becomes one request of one resource and scope', async () => {
  const records = [flowRecord(1), flowRecord(3)];
  const request = await requestOf(records, { resource_attributes: { 'k8s.cluster.name': 'c1' } });
  const logRecord = (n: number, severityNumber: number, severityText: string, disposition: string) => ({
    timeUnixNano: `179000000000${n}000000`,
    observedTimeUnixNano: expect.stringMatching(/^\d{13}000000$/),
    severityNumber,
    severityText,
    body: { stringValue: JSON.stringify(flowRecord(n)) },
    attributes: [
      text('source.address', `10.0.0.${n}`),
      number('source.port', `${1024 + n}`),
      text('destination.address', '10.8.0.1'),
      number('destination.port', '443'),
      text('network.transport', 'tcp'),
      text('network.type', 'ipv4'),
      text('network.io.direction', 'transmit'),
      text('source.k8s.pod.name', `web-${n}`),
      text('source.k8s.namespace.name', 'shop ü'),
      text('source.k8s.deployment.name', 'web'),
      text('k8s.pod.name', `web-${n}`),
      text('k8s.namespace.name', 'shop ü'),
      text('k8s.deployment.name', 'web'),
      text('network_policy.disposition', disposition),
      number('network_policy.connections', '1'),
      text('log.record.uid', `r${n}`),
    ],
    eventName: 'network_policy.flow',
  });
  expect(request).toEqual({
    resourceLogs: [
      {
        resource: {
          attributes: [
            text('service.name', 'policy-log-agent'),
            text('k8s.node.name', 'node-1'),
            text('k8s.cluster.name', 'c1'),
          ],
        },
        scopeLogs: [
          {
            scope: { name: 'policy-log-agent' },
            logRecords: [logRecord(1, 13, 'WARN', 'deny'), logRecord(3, 9, 'INFO', 'allow')],
          },
        ],
      },
    ],
  });
});

test.each([
  ['deny', undefined, [13, 'WARN', 'network_policy.flow']],
  ['unknown', undefined, [10, 'NOTICE', 'network_policy.flow']],
  ['allow', 'flow', [9, 'INFO', 'network_policy.flow']],
  [undefined, 'summary', [13, 'WARN', 'network_policy.summary']],
  [undefined, 'audit', [9, 'INFO', undefined]],
])('severity and event of disposition %s, log type %s', async (disposition, log_type, expected) => {
  const request = await requestOf([{ id: 'a', disposition, log_type }]);
  const [{ severityNumber, severityText, eventName }] = request.resourceLogs[0].scopeLogs[0].logRecords;
  expect([severityNumber, severityText, eventName]).toEqual(expected);
});

test('records of several nodes have a resource each; a record without time has none', async () => {
  const records = [flowRecord(1), { id: 'a', log_type: 'audit' }, flowRecord(2)];
  const { resourceLogs } = await requestOf(records);
  const bodies = resourceLogs.map(({ scopeLogs }: { scopeLogs: { logRecords: object[] }[] }) =>
    scopeLogs[0]!.logRecords.map((record) => ('timeUnixNano' in record ? 'timed' : 'timeless')),
  );
  expect(bodies).toEqual([['timed', 'timed'], ['timeless']]);
});

test('of two pods, the one that the policy guards has the attributes without prefix', () => {
  const record = {
    connection: { src_ip: 'fd00::1', dest_ip: 'fd00::2', protocol: 'udp', direction: 'ingress' },
    src: { pod_name: 'a', namespace: 'x', workload_kind: 'CloneSet', workload_name: 'as' },
    dest: { pod_name: 'b', namespace: 'y', workload_kind: 'StatefulSet', workload_name: 'bs' },
    policies: [{ name: 'p', namespace: 'y' }, { name: 'global' }, { name: '' }],
  };
  expect(Object.fromEntries(attributesOf(record))).toEqual({
    'source.address': 'fd00::1',
    'destination.address': 'fd00::2',
    'network.transport': 'udp',
    'network.type': 'ipv6',
    'network.io.direction': 'receive',
    'source.k8s.pod.name': 'a',
    'source.k8s.namespace.name': 'x',
    'destination.k8s.pod.name': 'b',
    'destination.k8s.namespace.name': 'y',
    'destination.k8s.statefulset.name': 'bs',
    'k8s.pod.name': 'b',
    'k8s.namespace.name': 'y',
    'k8s.statefulset.name': 'bs',
    'network_policy.policies': ['y/p', 'global'],
  });
});

test('an end that is a node', () => {
  const record = { connection: { direction: 'egress' }, dest: { node_name: 'n2', workload_kind: 'Node' } };
  expect(Object.fromEntries(attributesOf(record))).toEqual({
    'network.io.direction': 'transmit',
    'destination.k8s.node.name': 'n2',
  });
});

test('what a shape drops is in no attribute, and the id stays', async () => {
  const { sink, server } = await openSink({ protocol: 'http/json' });
  const drop = ['connection', 'src', 'id'];
  await new ShapedSink(sink, compileShape({ drop, rename: {} })).send(batchOfRecords([flowRecord(1)]), never);
  const [record] = JSON.parse(server.accepted[0]!.body).resourceLogs[0].scopeLogs[0].logRecords;
  expect(record.attributes.map(({ key }: { key: string }) => key)).toEqual([
    'network_policy.disposition',
    'network_policy.connections',
    'log.record.uid',
  ]);
});

test.each([
  ['http/protobuf', 'gzip', 'application/x-protobuf'],
  ['http/protobuf', 'none', 'application/x-protobuf'],
  ['http/json', 'gzip', 'application/json'],
])('%s, compression %s', async (protocol, compression, contentType) => {
  const { sink, server } = await openSink({
    protocol,
    compression,
    auth: { token: 't' },
    headers: { a: 'b' },
  });
  expect(await sink.send(batchOfRecords([flowRecord(1)]), never)).toEqual(DELIVERED);
  const [{ path, headers }] = server.accepted as [(typeof server.accepted)[number]];
  expect(path).toBe('/v1/logs');
  expect(headers).toMatchObject({ 'content-type': contentType, authorization: 'Bearer t', a: 'b' });
  expect(headers['content-encoding']).toBe(compression === 'none' ? undefined : compression);
});

test('the bytes of a request', () => {
  const bytes = encodeLogs({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'k', value: { stringValue: 'v' } }] },
        scopeLogs: [
          {
            scope: { name: 's' },
            logRecords: [
              {
                timeUnixNano: '1',
                observedTimeUnixNano: '18446744073709551615',
                severityNumber: 13,
                severityText: 'W',
                body: { stringValue: 'ü' },
                attributes: [
                  { key: 'n', value: { intValue: '300' } },
                  { key: 'l', value: { arrayValue: { values: [{ stringValue: 'x' }] } } },
                ],
                eventName: 'e',
              },
            ],
          },
        ],
      },
    ],
  });
  const expected = [
    '0a4d', // resource_logs
    '0a0a0a080a016b12030a0176', // resource: one attribute
    '123f', // scope_logs
    '0a030a0173', // scope: its name
    '1238', // log_records
    '090100000000000000', // time_unix_nano
    '100d', // severity_number
    '1a0157', // severity_text
    '2a040a02c3bc', // body
    '32080a016e120318ac02', // an attribute: a number
    '320c0a016c12072a050a030a0178', // an attribute: a list
    '59ffffffffffffffff', // observed_time_unix_nano
    '620165', // event_name
  ];
  expect(bytes.toString('hex')).toBe(expected.join(''));
});

function partialSuccess(rejected: number, message: string): Buffer {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).fork();
  if (rejected > 0) writer.tag(1, WireType.Varint).int64(rejected);
  if (message !== '') writer.tag(2, WireType.LengthDelimited).string(message);
  return Buffer.from(writer.join().finish());
}

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const refused = (count: number, reason: string) => ({
  kind: 'delivered',
  refused: Array.from({ length: count }, (_, index) => ({ index, reason })),
});

test.each([
  ['nothing', PROTOBUF, Buffer.alloc(0), DELIVERED],
  ['nothing, in JSON', JSON_TYPE, '{}', DELIVERED],
  ['an empty partial success', PROTOBUF, partialSuccess(0, ''), DELIVERED],
  ['a warning', PROTOBUF, partialSuccess(0, 'deprecated'), DELIVERED],
  ['not what it should', 'text/html', '<html>', DELIVERED],
  ['broken bytes', PROTOBUF, Buffer.from([0x0a, 0x7f, 0x01]), DELIVERED],
  ['all refused', PROTOBUF, partialSuccess(3, 'no'), refused(3, '3 of 3 records were refused: no')],
  ['200 of them refused', PROTOBUF, partialSuccess(200, 'ü'), refused(3, '200 of 3 records were refused: ü')],
  ['one refused', PROTOBUF, partialSuccess(1, 'no'), refused(3, '1 of 3 records were refused: no')],
  [
    'one refused, in JSON',
    `${JSON_TYPE}; charset=utf-8`,
    '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"no"}}',
    refused(3, '1 of 3 records were refused: no'),
  ],
])('200 that says %s', async (_name, type, body, outcome) => {
  const { sink, server } = await openSink();
  server.react = () => ({ kind: 'answer', status: 200, headers: { 'content-type': type }, body });
  expect(await sink.send(batchOfRecords([1, 2, 3].map(flowRecord)), never)).toEqual(outcome);
});

test.each([
  [400, { kind: 'rejected' }],
  [401, { kind: 'retry', cause: 'unauthorized' }],
  [403, { kind: 'retry', cause: 'unauthorized' }],
  [404, { kind: 'retry', cause: 'error' }],
  [413, { kind: 'too_large' }],
  [415, { kind: 'retry', cause: 'error' }],
  [429, { kind: 'retry', cause: 'busy', afterMs: 7000 }],
  [500, refused(2, 'HTTP 500: why')],
  [501, refused(2, 'HTTP 501: why')],
  [502, { kind: 'retry', cause: 'error', afterMs: 7000 }],
  [503, { kind: 'retry', cause: 'busy', afterMs: 7000 }],
  [504, { kind: 'retry', cause: 'error', afterMs: 7000 }],
])('HTTP %i', async (status, outcome) => {
  const { sink, server } = await openSink();
  server.react = () => ({ kind: 'answer', status, headers: { 'retry-after': '7' }, body: 'why' });
  expect(await sink.send(batchOfRecords([1, 2].map(flowRecord)), never)).toMatchObject(outcome);
});
