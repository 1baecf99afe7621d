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

const BYTES = 256 << 10;

test('what is packed is unpacked, and never larger', () => {
  const piece = fc.uint8Array({ minLength: 1, maxLength: 40_000 });
  fc.assert(
    fc.property(piece, fc.integer({ min: 0, max: 2 * BYTES }), (filling, length) => {
      const original = Buffer.alloc(length, filling);
      const packed = pack({ bytes: original, count: 1 });
      expect(packed.size).toBe(length);
      expect(packed.bytes.length).toBeLessThanOrEqual(length);
      expect(Buffer.compare(unpack(packed.bytes, packed.size), original)).toBe(0);
    }),
  );
});

test.each([
  ['a block of records is', block(1, 20_000).bytes, true],
  ['less than a block is not', block(1, 10_000).bytes, false],
  ['what does not become smaller is not', randomBytes(BYTES), false],
])('%s packed', (_name, bytes, isPacked) => {
  expect(pack({ bytes, count: 1 }).bytes.length < bytes.length).toBe(isPacked);
});

test.each([
  ['noise', (bytes: Buffer) => randomBytes(bytes.length), BYTES],
  ['its first half', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1), BYTES],
  ['more than was said', (bytes: Buffer) => bytes, BYTES - 1],
  ['less than was said', (bytes: Buffer) => bytes, BYTES + 1],
])('%s instead of a packed block is corruption', (_name, damage, size) => {
  const { bytes } = pack({ bytes: Buffer.alloc(BYTES, 'record\n'), count: 1 });
  expect(() => unpack(damage(Buffer.from(bytes)), size)).toThrow(CorruptError);
});

test('blocks that an earlier version did not pack are read', () => {
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path);
  outbox.commit(change({ blocks: [block(1, 20_000), block(20_001, 20_000)] }), 1000);
  outbox.close();
  const db = new DatabaseSync(path);
  const { bytes } = block(1, 20_000);
  db.prepare('UPDATE blocks SET bytes = ?, crc = ? WHERE first = 1').run(bytes, crc32(bytes));
  db.exec('PRAGMA user_version = 1');
  db.close();

  const after = openAt(path);
  expect(idsFrom(after, 1)).toEqual(Array.from({ length: 40_000 }, (_, n) => `r${n + 1}`));
});
