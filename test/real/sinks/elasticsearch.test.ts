import { afterAll, beforeAll, expect, test } from 'vitest';
import { conforms } from '../../sinks/conformance.ts';
import { flowRecord } from '../../sinks/records.ts';
import { OpenSearch } from '../servers/opensearch.ts';
import { elasticsearchConformance } from './elasticsearch.ts';
import { recent, send as sendTo } from './send.ts';

let server: OpenSearch;

beforeAll(async () => {
  server = await OpenSearch.start('http.max_content_length=4mb');
});
afterAll(() => server.close());

conforms(elasticsearchConformance(() => server));

function send(records: readonly object[], options: Record<string, unknown>) {
  return sendTo(records, { type: 'elasticsearch', url: server.origin, ...options });
}

test.each([
  [
    'denials of a pod in the last hour',
    'disposition:deny AND src.pod_name:web-7 AND @timestamp:[now-1h TO now]',
    [7],
  ],
  [
    'the same, ten minutes back',
    'disposition:deny AND src.pod_name:web-7 AND @timestamp:[now-5m TO now]',
    [],
  ],
  ['a network', 'connection.src_ip:"10.0.0.4/31"', [5, 4]],
  ['a range of ports', 'connection.src_port:[1026 TO 1027]', [3, 2]],
  ['an address outside the cluster', 'dest.instance:"10.8.0.0/24" AND connection.src_port:1030', [6]],
  [
    'a namespace with a space',
    'src.namespace:"shop ü" AND disposition:allow AND connection.src_ip:10.0.0.3',
    [3],
  ],
])('a query for %s', async (_name, query, found) => {
  const index = 'logs-queries-default';
  expect(await send(recent(10), { index, template: { replicas: 0 } })).toEqual({ kind: 'delivered' });
  const hits = await server.search(index, query);
  expect(hits.map(({ _id }) => _id)).toEqual(found.map((n) => `recent-${n}`));
});

test('microseconds are kept, and what the template does not know is searchable', async () => {
  const index = 'logs-micro-default';
  const records = [1, 2, 3].map((n) => ({
    ...flowRecord(n),
    timestamp: `2026-11-21T10:00:00.00000${n}Z`,
    packet: { in: `cali${n}`, ttl: 60 + n },
  }));
  await send(records.toReversed(), { index, template: { replicas: 0 } });
  const hits = await server.search(index, 'packet.in:cali* AND packet.ttl:[62 TO *]');
  expect(hits.map(({ _id }) => _id)).toEqual(['r2', 'r3']);
});

test('a value of another kind than before does not cost the record', async () => {
  const index = 'logs-kinds-default';
  const odd = {
    ...flowRecord(2),
    count: 'many',
    connection: { ...flowRecord(2).connection, src_ip: 'a host' },
  };
  expect(await send([flowRecord(1), odd], { index, template: { replicas: 0 } })).toEqual({
    kind: 'delivered',
  });
  expect(await server.ids(index)).toHaveLength(2);
});

test('records of other logs go to streams of their own, with whatever fields they have', async () => {
  const audit = { id: 'a1', log_type: 'audit', source: { input: 'audit', format: 'json' } };
  const bodies = [{ user: { name: 'eve' } }, { user: 'adam' }];
  const records = bodies.map((body, n) => ({ ...audit, id: `a${n}`, body }));
  const options = { index: 'logs-np.{log_type}-default', template: { replicas: 0 } };
  expect(await send([flowRecord(1), ...records], options)).toEqual({ kind: 'delivered' });
  expect(await server.ids('logs-np.flow-default')).toEqual(['r1']);
  const [hit, ...others] = await server.search('logs-np.audit-default', 'body.user.name:eve');
  expect(others).toEqual([]);
  expect(hit).toMatchObject({ _id: 'a0', _source: { body: { user: { name: 'eve' } } } });
});

test('plain indices by day', async () => {
  const options = { mode: 'index', index: 'flows-%Y.%m.%d', template: { replicas: 0 } };
  const records = ['2026-11-20T23:59:59.9Z', '2026-11-21T00:00:00Z'].map((timestamp, n) => ({
    ...flowRecord(n),
    timestamp,
  }));
  for (let time = 0; time < 2; time++) expect(await send(records, options)).toEqual({ kind: 'delivered' });
  expect(await server.ids('flows-2026.11.20')).toEqual(['r0']);
  expect(await server.ids('flows-2026.11.21')).toEqual(['r1']);
  const mapping = await server.ask('GET', '/flows-*/_mapping/field/connection.src_ip');
  expect(JSON.stringify(mapping)).toContain('"type":"ip"');
});

test('an index that is blocked keeps its records waiting, and the others go', async () => {
  await server.ask('PUT', '/blocked', { settings: { 'index.blocks.write': true, number_of_replicas: 0 } });
  const records = [
    { ...flowRecord(1), log_type: 'blocked' },
    { ...flowRecord(2), log_type: 'open' },
  ];
  const options = { mode: 'index', index: 'x{log_type}' };
  await server.ask('POST', '/_aliases', {
    actions: [{ add: { index: 'blocked', alias: 'xblocked', is_write_index: true } }],
  });
  expect(await send(records, options)).toMatchObject({
    kind: 'delivered',
    again: [0],
    reason: expect.stringMatching(/^403 cluster_block_exception/),
  });
  await server.ask('PUT', '/blocked/_settings', { 'index.blocks.write': false });
  expect(await send(records, options)).toEqual({ kind: 'delivered' });
});

test('a request beyond what the server takes is too large', async () => {
  const records = Array.from({ length: 40 }, (_, n) => ({ ...flowRecord(n), prefix: 'x'.repeat(128 << 10) }));
  for (const compression of ['none', 'gzip']) {
    expect(await send(records, { index: 'logs-large-default', compression })).toMatchObject({
      kind: 'too_large',
    });
  }
});

test('a server without ISM cannot delete: records wait, and the reason names what is missing', async () => {
  expect(await send([flowRecord(1)], { template: { retention: '30d' } })).toMatchObject({
    kind: 'retry',
    reason: expect.stringMatching(/^cannot read the ISM policy policy-log-agent-logs-.*no handler found/),
  });
});
