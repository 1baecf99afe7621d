import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { S3SinkOptions } from '../../../agent/config/sinks/s3.ts';
import { Delivery } from '../../../agent/delivery/delivery.ts';
import { toDeliveryOptions } from '../../../agent/delivery/options.ts';
import { S3Sink } from '../../../sinks/s3.ts';
import { CountingEvents, ManualClock, MemorySource } from '../../agent/delivery/helpers.ts';
import { memoryLog } from '../../agent/outbox/helpers.ts';
import { configure } from '../destinations/common.ts';
import { HttpFixture } from '../http-fixture.ts';
import { flowRecord } from '../records.ts';

test('an agent that died behind a PUT, and finds more records than it left, puts the same object once more', async () => {
  const store = new HttpFixture();
  await store.start();
  onTestFinished(() => store.kill());
  store.react = () => ({ kind: 'answer', status: 200, headers: { etag: '"1"' } });
  const config = configure({
    type: 's3',
    bucket: 'flows',
    region: 'r',
    endpoint: store.origin,
    access_key_id: 'a',
    secret_access_key: 'b',
    batch: { age_max: '5m' },
  });
  const clock = new ManualClock();
  const source = new MemorySource();
  const commit = (first: number, last: number) => {
    const ids = Array.from({ length: last - first + 1 }, (_, n) => first + n);
    source.add(
      ids.map((id) => ({ ...flowRecord(id) })),
      clock.nowMs,
    );
  };
  const start = () => {
    const context = { warn() {}, stop() {} };
    const parts = {
      source,
      createSink: async () => new S3Sink(config as S3SinkOptions, context),
      deadLetters: undefined as never,
      events: new CountingEvents(),
      log: memoryLog(),
    };
    const delivery = new Delivery(toDeliveryOptions(config), parts, clock);
    onTestFinished(() => delivery.stop(0));
    delivery.wake();
    return delivery;
  };
  const uploads = (count: number) => vi.waitUntil(() => store.accepted.length >= count, { timeout: 10_000 });

  const before = start();
  commit(1, 10);
  before.wake();
  await clock.advance(120_000);
  commit(11, 20);
  before.wake();
  await clock.advance(180_000);
  await uploads(1);
  await before.stop(0);

  // What it confirmed was never written; and the clock has gone on.
  source.positions.clear();
  commit(21, 30);
  await clock.advance(600_000);
  start();
  await uploads(3);
  const [first, again, next] = store.accepted;
  expect(again!.path).toBe(first!.path);
  expect(again!.bytes).toEqual(first!.bytes);
  expect(
    gunzipSync(first!.bytes)
      .toString()
      .match(/"id":"r\d+"/g),
  ).toHaveLength(20);
  expect(
    gunzipSync(next!.bytes)
      .toString()
      .match(/"id":"r\d+"/g),
  ).toHaveLength(10);
});
