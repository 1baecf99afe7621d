import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Outbox } from '../../../agent/outbox/outbox.ts';
import { RECENT_BYTES_MAX, RecentBlocks } from '../../../agent/outbox/recent-blocks.ts';
import { idsFrom, openAt, tempFolder } from './helpers.ts';
import { block, change } from './records.ts';

test('finds the block of any position that is here, and lets go of what is done', () => {
  const recent = new RecentBlocks();
  recent.add([block(5, 3), block(8, 2)], 5, 1000);
  expect([4, 5, 7, 8, 9, 10].map((position) => recent.at(position)?.first)).toEqual([
    undefined,
    5,
    5,
    8,
    8,
    undefined,
  ]);
  expect(recent.trim(8, 100)).toMatchObject([{ first: 5, count: 3 }]);
  expect([7, 8].map((position) => recent.at(position)?.first)).toEqual([undefined, 8]);
});

test('keeps nothing while more waits than it may hold', () => {
  const recent = new RecentBlocks();
  recent.add([block(1, 3)], 1, 1000);
  recent.trim(1, RECENT_BYTES_MAX);
  expect(recent.at(1)?.count).toBe(3);
  recent.trim(1, RECENT_BYTES_MAX + 1);
  expect(recent.at(1)).toBeUndefined();
});

test('blocks are given back when all sinks have confirmed them, and only then', () => {
  const finished: number[] = [];
  const outbox = openAt(join(tempFolder(), 'state.db'), {
    sinks: ['a', 'b'],
    finished: (blocks) => finished.push(...blocks.map(({ count }) => count)),
  });
  outbox.commit(change({ blocks: [block(1, 2), block(3, 3), block(6, 4)] }), 1000);
  outbox.acknowledge('a', 10, 0);
  outbox.acknowledge('b', 4, 0);
  outbox.flush();
  expect(finished).toEqual([2]);
  outbox.acknowledge('b', 6, 0);
  outbox.flush();
  expect(finished).toEqual([2, 3]);
});

test.each([
  ['a sink that goes', 1 << 30, (outbox: Outbox) => outbox.configureSinks(['a'])],
  ['a reload', 1 << 30, (outbox: Outbox) => outbox.configureSinks(['a', 'b'])],
  [
    'records that are dropped',
    60,
    (outbox: Outbox) => outbox.commit(change({ blocks: [block(7, 1, 30)] }), 1000),
  ],
])('%s may leave blocks under way: they are not given back', (_name, sizeMaxBytes, leave) => {
  const finished: unknown[] = [];
  const outbox = openAt(join(tempFolder(), 'state.db'), {
    sizeMaxBytes,
    whenFull: 'drop_oldest',
    sinks: ['a', 'b'],
    finished: (blocks) => finished.push(...blocks),
  });
  outbox.commit(change({ blocks: [block(1, 3), block(4, 2)] }), 1000);
  outbox.acknowledge('a', 6, 0);
  leave(outbox);
  for (const sink of ['a', 'b']) outbox.acknowledge(sink, 6, 0);
  outbox.flush();
  expect(outbox.begin()).toBe(6);
  expect(finished).toEqual([]);
});

test('what a sink gets from memory is what a restart finds in the database', () => {
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path);
  for (let first = 1; first < 200; first += 5)
    outbox.commit(change({ blocks: [block(first, 3), block(first + 3, 2)] }), 1000);
  const before = idsFrom(outbox, 1);
  const sample = outbox.read(57);
  outbox.close();
  const after = openAt(path);
  expect(idsFrom(after, 1)).toEqual(before);
  expect(before).toHaveLength(200);
  expect({ ...after.read(57), bytes: Buffer.from(after.read(57)!.bytes) }).toEqual({
    ...sample,
    bytes: Buffer.from(sample!.bytes),
  });
});
