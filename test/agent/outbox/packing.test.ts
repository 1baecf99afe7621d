import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CorruptError } from '../../../agent/outbox/failure.ts';
import { pack, unpack } from '../../../agent/outbox/packing.ts';
import { idsFrom, openAt, tempFolder } from './helpers.ts';
import { block, change } from './records.ts';

test('what is packed is unpacked, and never larger', () => {
  const bytes = fc
    .uint8Array({ maxLength: 40_000 })
    .chain((piece) => fc.integer({ min: 1, max: 8 }).map((times) => Buffer.concat(Array(times).fill(piece))));
  fc.assert(
    fc.property(bytes, (original) => {
      const packed = pack({ bytes: original, count: 1 });
      expect(packed.size).toBe(original.length);
      expect(packed.bytes.length).toBeLessThanOrEqual(original.length);
      expect(Buffer.compare(unpack(packed.bytes, packed.size), original)).toBe(0);
    }),
  );
});

test.each([
  ['records', block(1, 2000).bytes, true],
  ['records of less than a page', block(1, 10).bytes, false],
  ['noise', randomBytes(10_000), false],
])('%s', (_name, bytes, isPacked) => {
  expect(pack({ bytes, count: 1 }).bytes.length < bytes.length).toBe(isPacked);
});

test.each([
  ['noise', (bytes: Buffer) => randomBytes(bytes.length), 20_000],
  ['its first half', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1), 20_000],
  ['more than was said', (bytes: Buffer) => bytes, 19_999],
  ['less than was said', (bytes: Buffer) => bytes, 20_001],
])('%s instead of a packed block is corruption', (_name, damage, size) => {
  const { bytes } = pack({ bytes: Buffer.alloc(20_000, 'record\n'), count: 1 });
  expect(() => unpack(damage(Buffer.from(bytes)), size)).toThrow(CorruptError);
});

test('blocks that an earlier version did not pack are read', () => {
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path);
  outbox.commit(change({ blocks: [block(1, 1000), block(1001, 500)] }), 1000);
  outbox.close();
  const db = new DatabaseSync(path);
  const { bytes } = block(1, 1000);
  db.prepare('UPDATE blocks SET bytes = ?, crc = ? WHERE first = 1').run(bytes, crc32(bytes));
  db.exec('PRAGMA user_version = 1');
  db.close();

  const after = openAt(path);
  expect(idsFrom(after, 1)).toEqual(Array.from({ length: 1500 }, (_, n) => `r${n + 1}`));
});
