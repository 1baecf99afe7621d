import { expect, test } from 'vitest';
import { RecordBuffer } from '../../agent/record-buffer.ts';

const RECORD = JSON.stringify({ id: 'x'.repeat(1000) });
const BLOCK_BYTES = 256 << 10;

function collect(records: RecordBuffer, bytes: number) {
  while (records.size < bytes) records.append(RECORD);
  return records.take();
}

test('blocks that are given back are filled again, those that are not stay as they are', () => {
  const records = new RecordBuffer();
  const [first, kept] = collect(records, 2 * BLOCK_BYTES);
  const before = Buffer.from(kept!.bytes);
  records.giveBack([first!]);
  const later = [...collect(records, 3 * BLOCK_BYTES), ...collect(records, 3 * BLOCK_BYTES)];
  expect(later.filter(({ bytes }) => bytes.buffer === first!.bytes.buffer)).toHaveLength(1);
  expect(later.filter(({ bytes }) => bytes.buffer === kept!.bytes.buffer)).toEqual([]);
  expect(Buffer.compare(kept!.bytes, before)).toBe(0);
});

test.each([
  ['a backlog was handed over', 4 * BLOCK_BYTES, 32],
  ['little was handed over', BLOCK_BYTES / 2, 2],
])('when %s last, so many spare blocks are kept: %#', (_name, bytes, kept) => {
  const records = new RecordBuffer();
  const blocks = collect(records, 60 * BLOCK_BYTES).slice(0, 50);
  records.giveBack(blocks);
  collect(records, bytes);
  const given = new Set(blocks.map((block) => block.bytes.buffer));
  const again = collect(records, 60 * BLOCK_BYTES).filter((block) => given.has(block.bytes.buffer));
  expect(again.length).toBeGreaterThan(0);
  expect(again.length).toBeLessThanOrEqual(kept);
});
