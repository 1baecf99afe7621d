import { expect, onTestFinished, test } from 'vitest';
import { logsRequest } from '../../../sinks/otlp/logs.ts';
import { conforms } from '../../sinks/conformance.ts';
import { batchOfRecords } from '../../sinks/outgoing.ts';
import { flowRecord } from '../../sinks/records.ts';
import { Collector } from '../servers/collector.ts';
import { idOf, otlpJson, otlpProtobuf } from './otlp.ts';
import { send as sendTo } from './send.ts';

conforms(otlpProtobuf);
conforms(otlpJson);

async function startCollector(): Promise<Collector> {
  const collector = await Collector.start();
  onTestFinished(() => collector.close());
  return collector;
}

function send(records: readonly object[], options: Record<string, unknown>) {
  return sendTo(records, { type: 'otlp', ...options });
}

const RECORDS = [
  ...[1, 2, 3].map(flowRecord),
  { ...flowRecord(4), policies: [{ name: 'p', namespace: 'n', kind: 'NetworkPolicy' }, { name: 'q' }] },
  { ...flowRecord(5), disposition: 'unknown', timestamp: '2026-11-21T10:15:02.123456789Z', count: 300 },
  { id: 'r6', log_type: 'audit', source: { input: 'audit', format: 'json' } },
];

test.each(['http/protobuf', 'http/json'])('the Collector reads from %s what was meant', async (protocol) => {
  const collector = await startCollector();
  expect(await send(RECORDS, { url: collector.origin, protocol })).toEqual({ kind: 'delivered' });
  const arrived = collector.written();
  const meant = logsRequest(batchOfRecords(RECORDS).records, {}, '0').resourceLogs.flatMap(
    ({ resource, scopeLogs }) =>
      scopeLogs[0].logRecords.map((record) => ({
        ...record,
        observedTimeUnixNano: expect.stringMatching(/^\d{19}$/),
        resource: resource.attributes,
      })),
  );
  expect(arrived).toEqual(meant);
});

test('a person finds the denials of a pod by the conventional names', async () => {
  const collector = await startCollector();
  await send(RECORDS, { url: collector.origin });
  const found = collector
    .written()
    .filter(
      ({ attributes, severityText }) =>
        severityText === 'WARN' &&
        attributes.some(
          ({ key, value }) =>
            key === 'k8s.pod.name' && 'stringValue' in value && value.stringValue === 'web-2',
        ),
    );
  expect(found.map(idOf)).toEqual(['r2']);
});

test.each([
  [
    'the token',
    (it: Collector) => ({ auth: { token: it.token }, tls: { ca_file: it.caFile } }),
    { kind: 'delivered' },
  ],
  [
    'the token as a header',
    (it: Collector) => ({ headers: { authorization: `Bearer ${it.token}` }, tls: { ca_file: it.caFile } }),
    { kind: 'delivered' },
  ],
  [
    'another token',
    (it: Collector) => ({ auth: { token: 'x' }, tls: { ca_file: it.caFile } }),
    { kind: 'retry', cause: 'unauthorized' },
  ],
  [
    'no trust in the certificate',
    (it: Collector) => ({ auth: { token: it.token } }),
    { kind: 'retry', cause: 'network' },
  ],
])('by TLS with %s', async (_name, options, outcome) => {
  const collector = await startCollector();
  expect(await send(RECORDS, { url: collector.tlsOrigin, ...options(collector) })).toMatchObject(outcome);
  expect(collector.written()).toHaveLength(outcome.kind === 'delivered' ? RECORDS.length : 0);
});

test.each([
  ['that are no protobuf', 'application/x-protobuf', { kind: 'rejected' }],
  ['of a type that it does not know', 'text/plain', { kind: 'retry', cause: 'error' }],
])('the Collector does not take bytes %s', async (_name, type, outcome) => {
  const collector = await startCollector();
  const options = { url: collector.origin, protocol: 'http/json', headers: { 'content-type': type } };
  expect(await send(RECORDS, options)).toMatchObject(outcome);
});
