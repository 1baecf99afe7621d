import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conforms } from '../../sinks/conformance.ts';
import { flowRecord } from '../../sinks/records.ts';
import { Loki } from '../servers/loki.ts';
import { lokiConformance } from './loki.ts';
import { MINUTE_MS, recent, send as sendTo } from './send.ts';

let loki: Loki;

beforeAll(async () => {
  loki = await Loki.start();
});
afterAll(() => loki.close());

conforms(lokiConformance(() => loki));

function send(records: readonly object[], options: Record<string, unknown>) {
  return sendTo(records, { type: 'loki', url: loki.origin, ...options });
}

test.each([
  ['denials of a pod', '{disposition="deny"} | src_pod_name="web-7"', ['recent-7']],
  [
    'the same without structured metadata',
    '{disposition="deny"} | json | src_pod_name="web-8"',
    ['recent-8'],
  ],
  [
    'what went to an address',
    '{node="node-1"} | connection_dest_ip="10.8.0.1" |= "recent-11"',
    ['recent-11'],
  ],
  ['a text in the line', '{job="policy-log-agent"} |= `"id":"recent-13"`', ['recent-13']],
  [
    'a network',
    '{direction="egress"} | connection_src_ip=ip("10.0.0.16/30") | disposition="deny"',
    ['recent-16', 'recent-17', 'recent-19'],
  ],
])('a query of the last hour: %s', async (_name, query, expected) => {
  await send(recent(20), { tenant_id: 'queries' });
  const found = await loki.query('queries', query, Date.now() - 60 * MINUTE_MS, Date.now() + MINUTE_MS);
  const ids = found.map(({ line }) => JSON.parse(line).id as string);
  expect([...new Set(ids)].sort()).toEqual(expected);
});

const PAGE = readFileSync(new URL('../../../docs/sinks/loki.md', import.meta.url), 'utf8');

test.each(/```logql\n(.*?)\n```/s.exec(PAGE)![1]!.split('\n'))(
  'the page’s query %s finds what it should',
  async (query) => {
    const [first, second, third] = recent(3) as [object, object, object];
    const records = [
      { ...first, disposition: 'deny', src: { pod_name: 'web-7', namespace: 'a' } },
      {
        ...second,
        disposition: 'deny',
        dest: { pod_name: 'b', namespace: 'b' },
        id: '5b0c3f5d8f1f4d0f9a6c0b5e2d7f8a91',
      },
      { ...third, disposition: 'unknown', prefix: 'calico-drop' },
    ];
    await send(records, { tenant_id: 'page' });
    const found = await loki.query('page', query, Date.now() - 60 * MINUTE_MS, Date.now() + MINUTE_MS);
    expect(found).not.toEqual([]);
  },
);

test.each(['http/protobuf', 'http/json'])(
  'the otlp sink, by %s, is read by Loki as it should',
  async (protocol) => {
    const tenant = protocol.replace('/', '-');
    const options = {
      type: 'otlp',
      url: `${loki.origin}/otlp`,
      headers: { 'x-scope-orgid': tenant },
      protocol,
    };
    expect(await send(recent(9), options)).toEqual({ kind: 'delivered' });
    const query = '{service_name="policy-log-agent"} | k8s_pod_name="web-7" | severity_text="WARN"';
    const found = await loki.query(tenant, query, Date.now() - 60 * MINUTE_MS, Date.now() + MINUTE_MS);
    expect(found).toMatchObject([
      {
        labels: {
          source_address: '10.0.0.7',
          destination_port: '443',
          network_io_direction: 'transmit',
          log_record_uid: 'recent-7',
          k8s_node_name: 'node-1',
        },
      },
    ]);
    expect(JSON.parse(found[0]!.line).id).toBe('recent-7');
  },
);

test('a request that was stored but for one entry is taken whole when that one is gone', async () => {
  await loki.limit('old', { reject_old_samples: true, reject_old_samples_max_age: '1h' });
  const now = Date.now();
  const at = (id: string, ms: number) => ({ ...flowRecord(1), id, timestamp: new Date(ms).toISOString() });
  const records = [at('fresh', now), at('old', now - 120 * MINUTE_MS), at('fresher', now + 1)];
  expect(await send(records, { tenant_id: 'old' })).toMatchObject({ kind: 'rejected', reason: /too old/ });
  const stored = () => loki.query('old', '{job="policy-log-agent"}', now - 200 * MINUTE_MS, now + MINUTE_MS);
  expect((await stored()).map(({ line }) => JSON.parse(line).id)).toEqual(['fresh', 'fresher']);
  await send([records[0]!, records[2]!], { tenant_id: 'old' });
  expect(await stored()).toHaveLength(2);
});

test.each([
  ['takes no structured metadata', { allow_structured_metadata: false }, { structured_metadata: [] }],
  ['wants a label', { enforced_labels: ['team'] }, { labels: { team: 'red' } }],
  ['wants fewer labels', { max_label_names_per_series: 3 }, { label_fields: ['node'] }],
])('a Loki that %s refuses no record for it', async (name, limits, remedy) => {
  const tenant = name.replaceAll(' ', '-');
  await loki.limit(tenant, limits);
  const records = recent(3);
  // Loki judges a set of labels when it first sees it, whoever the tenant is.
  const options = { tenant_id: tenant, labels: { job: tenant } };
  expect(await send(records, options)).toMatchObject({ kind: 'retry', cause: 'error' });
  expect(await send(records, { ...options, ...remedy })).toEqual({ kind: 'delivered' });
});

test('without a tenant it is refused as without credentials', async () => {
  expect(await send(recent(1), {})).toMatchObject({ kind: 'retry', cause: 'unauthorized' });
});
