import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Collected, Collector, SAME_CUT_MS_MIN } from '../../../agent/delivery/collect.ts';
import type { OutgoingRecord } from '../../../sinks/sink.ts';
import { MemorySource } from './helpers.ts';

const RUNS = Number(process.env.FC_RUNS ?? 300);

/** Takes everything, without waiting for more. */
function collectAll(collector: Collector): Collected[] {
  const all: Collected[] = [];
  for (;;) {
    const next = collector.next(0, true);
    if (next === undefined || 'waitMs' in next) return all;
    all.push(next);
  }
}

test('whatever the blocks, limits and filters: every record once, in order, within the limits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 12 }), { maxLength: 12 }),
      fc.record({ recordsMax: fc.integer({ min: 1, max: 15 }), bytesMax: fc.integer({ min: 1, max: 1000 }) }),
      fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      fc.nat({ max: 20 }),
      (sizes, limits, every, skip) => {
        const source = new MemorySource();
        let n = 0;
        for (const block of sizes) {
          source.add(
            block.map((size) => ({ id: `${++n}`, padding: 'x'.repeat(size) })),
            0,
          );
        }
        const from = Math.min(1 + skip, source.end());
        const passes = (id: string) => every === undefined || Number(id) % every === 0;
        const accept = (record: OutgoingRecord) => passes(record.value().id as string);
        const collector = new Collector(
          source,
          from,
          { ...limits, ageMaxMs: 0 },
          every === undefined ? undefined : accept,
        );
        const collected = collectAll(collector);

        const expected = Array.from({ length: n }, (_, i) => `${i + 1}`)
          .slice(from - 1)
          .filter(passes);
        const batches = collected.flatMap(({ batch }) => (batch ? [batch] : []));
        expect(batches.flatMap(({ records }) => records.map((r) => r.value().id))).toEqual(expected);
        const text = batches.flatMap(({ ndjson }) => ndjson.map((piece) => piece.toString())).join('');
        expect(
          text
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line).id),
        ).toEqual(expected);
        let position = from;
        for (const { from: start, to, batch, filtered, bytesRead } of collected) {
          expect(start).toBe(position);
          position = to;
          expect((batch?.count ?? 0) + filtered).toBe(to - start);
          expect(bytesRead).toBeGreaterThanOrEqual(batch?.bytes ?? 0);
          if (!batch) continue;
          expect(batch.count).toBeLessThanOrEqual(limits.recordsMax);
          expect(batch.bytes).toBe(batch.ndjson.reduce((sum, piece) => sum + piece.length, 0));
          if (batch.count > 1) expect(batch.bytes).toBeLessThanOrEqual(limits.bytesMax);
        }
        expect(position).toBe(source.end());
        expect(collector.isEmpty).toBe(true);
      },
    ),
    { numRuns: RUNS, verbose: 1 },
  );
});

test('where nothing is filtered, whole blocks are passed on as they are', () => {
  const source = new MemorySource();
  source.add(10, 0);
  source.add(10, 0);
  const collector = new Collector(source, 1, { recordsMax: 100, bytesMax: 1 << 20, ageMaxMs: 0 });
  const [collected] = collectAll(collector);
  expect(collected?.batch?.ndjson.map(({ buffer }) => buffer)).toEqual(
    source.blocks.map(({ bytes }) => bytes.buffer),
  );
});

test('records of neighbouring blocks that pass a filter are sent in as few pieces as they stand together', () => {
  const source = new MemorySource();
  source.add(6, 0);
  const accept = (record: OutgoingRecord) => record.value().id !== '3';
  const collector = new Collector(source, 1, { recordsMax: 100, bytesMax: 1 << 20, ageMaxMs: 0 }, accept);
  const [collected] = collectAll(collector);
  expect(collected?.batch?.ndjson.map(String)).toEqual([
    '{"id":"1"}\n{"id":"2"}\n',
    '{"id":"4"}\n{"id":"5"}\n{"id":"6"}\n',
  ]);
});

test('where records may wait long, a batch ends at the same record when it is read again, whenever that is', () => {
  const event = fc.record({
    /** ms until it. */
    afterMs: fc.nat({ max: 8000 }),
    sizes: fc.array(fc.nat({ max: 200 }), { maxLength: 8 }),
  });
  let cuts = 0;
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 30 }),
      fc.record({ recordsMax: fc.integer({ min: 1, max: 15 }), bytesMax: fc.integer({ min: 1, max: 3000 }) }),
      fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      (events, sizes, every) => {
        const limits = { ...sizes, ageMaxMs: SAME_CUT_MS_MIN };
        const accept =
          every === undefined
            ? undefined
            : (record: OutgoingRecord) => Number(record.value().id) % every === 0;
        const source = new MemorySource();
        const live = new Collector(source, 1, limits, accept);
        const seen: Collected[] = [];
        const look = (collector: Collector, nowMs: number, into: Collected[]) => {
          for (let next = collector.next(nowMs, false); next && !('waitMs' in next); ) {
            into.push(next);
            next = collector.next(nowMs, false);
          }
        };
        let nowMs = 0;
        let id = 0;
        for (const { afterMs, sizes: records } of events) {
          nowMs += afterMs;
          // Without records: only somebody who looks.
          if (records.length > 0) {
            source.add(
              records.map((size) => ({ id: `${++id}`, padding: 'x'.repeat(size) })),
              nowMs,
            );
          }
          look(live, nowMs, seen);
        }
        look(live, nowMs + SAME_CUT_MS_MIN, seen);
        expect(live.isEmpty).toBe(true);
        for (const [n, { from }] of seen.entries()) {
          const again: Collected[] = [];
          look(new Collector(source, from, limits, accept), nowMs + SAME_CUT_MS_MIN, again);
          expect(idsOf(again)).toEqual(idsOf(seen.slice(n)));
        }
        cuts += seen.length;
      },
    ),
    { numRuns: RUNS, verbose: 1 },
  );
  expect(cuts).toBeGreaterThan(RUNS);
});

/** The ids of each batch. */
function idsOf(collected: readonly Collected[]): unknown[][] {
  return collected.flatMap(({ batch }) => (batch ? [batch.records.map((record) => record.value().id)] : []));
}

test('a batch may be larger than what is read for one that a filter makes small', () => {
  const source = new MemorySource();
  const padding = 'x'.repeat(1 << 20);
  for (let n = 0; n < 12; n++) source.add([{ id: `${n}`, padding }], 0);
  const limits = { recordsMax: 100, bytesMax: 11 << 20, ageMaxMs: 0 };
  const [first] = collectAll(new Collector(source, 1, limits));
  expect(first?.batch?.count).toBe(10);
});

test('what a filter refused before the first record has no part in where the batch ends', () => {
  const refused = { padding: 'x'.repeat(3 << 20) };
  const limits = { recordsMax: 100, bytesMax: 8 << 20, ageMaxMs: SAME_CUT_MS_MIN };
  const accept = (record: OutgoingRecord) => record.value().id !== undefined;
  const source = new MemorySource();
  source.add([refused, refused], 0);
  source.add([{ id: 'a' }, refused], 0);
  source.add([{ id: 'b' }], 0);
  // A collector that saw the first block come has handed it out before.
  for (const from of [1, 3]) {
    expect(idsOf(collectAll(new Collector(source, from, limits, accept)))).toEqual([['a', 'b']]);
  }
});
