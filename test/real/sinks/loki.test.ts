import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSink } from '../../../sinks/index.ts';
import { conforms } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { batchOfRecords } from '../../sinks/outgoing.ts';
import { flowRecord } from '../../sinks/records.ts';
import { Loki } from '../servers/loki.ts';
import { lokiConformance } from './loki.ts';

const MINUTE_MS = 60_000;
const context = { warn() {}, stop() {} };
const never = new AbortController().signal;
let loki: Loki;

beforeAll(async () => {
  loki = await Loki.start();
});
afterAll(() => loki.close());

conforms(lokiConformance(() => loki));

/** Sends records to a tenant as a configured sink would. */
async function send(records: readonly object[], options: Record<string, unknown>) {
  const sink = await createSink(configure({ type: 'loki', url: loki.origin, ...options }), context);
  await sink.open?.();
  try {
    return await sink.send(batchOfRecords(records), never);
  } finally {
    await sink.close();
  }
}

/** Records of the last hour, of which every third is allowed. */
function recent(count: number) {
  return Array.from({ length: count }, (_, n) => ({
    ...flowRecord(n),
    id: `recent-${n}`,
    timestamp: new Date(Date.now() - n * MINUTE_MS).toISOString(),
  }));
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

test('a Loki that takes no structured metadata refuses no record for it', async () => {
  await loki.limit('plain', { allow_structured_metadata: false });
  const records = recent(3);
  expect(await send(records, { tenant_id: 'plain' })).toMatchObject({ kind: 'retry', cause: 'error' });
  expect(await send(records, { tenant_id: 'plain', structured_metadata: [] })).toEqual({ kind: 'delivered' });
});

test('without a tenant it is refused as without credentials', async () => {
  expect(await send(recent(1), {})).toMatchObject({ kind: 'retry', cause: 'unauthorized' });
});
