import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hash, hashState, hexOf } from '../../../agent/inputs/hash.ts';
import { idSeed, recordId } from '../../../agent/inputs/record-id.ts';

const id = (text: string, offset = 0, first = 'first line\n', node = 'node-1') => {
  const bytes = Buffer.from(text);
  return recordId(idSeed(node, Buffer.from(first)), bytes, 0, bytes.length, offset).toString();
};

describe('MurmurHash3_x86_128', () => {
  // As mmh3 (Python) gives them, seed 0.
  test.each([
    ['', '00000000000000000000000000000000'],
    ['a', 'a794933c5556b01b5556b01b5556b01b'],
    ['hello', '2b2444a0db91def79adb31b69adb31b6'],
    ['hello, world', '8b21605cb9b98a1e93273a83eb5957c7'],
    ['The quick brown fox jumps over the lazy dog.', '6cbb60997dd6ed5e2bbf0fbb9b627b55'],
  ])('%j', (text, expected) => {
    const bytes = Buffer.from(text);
    const state = hashState();
    hash(state, bytes, 0, bytes.length);
    expect(hexOf(state).toString()).toBe(expected);
  });

  test('does not depend on where in a buffer the bytes stand', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), (values, before) => {
        const padded = Buffer.concat([Buffer.alloc(before, 7), values, Buffer.alloc(3, 9)]);
        const [a, b] = [hashState(), hashState()];
        hash(a, values, 0, values.length);
        hash(b, padded, before, before + values.length);
        expect(b).toEqual(a);
      }),
    );
  });
});

describe('record ids', () => {
  test('32 hexadecimal digits', () => {
    expect(id('a line')).toMatch(/^[0-9a-f]{32}$/);
  });

  test('the same for the same line at the same place of the same content', () => {
    expect(id('a line', 77)).toBe(id('a line', 77));
    expect(id('a line', 77, 'first line\nand what follows')).toBe(id('a line', 77));
  });

  test('another where a long line differs in length, beginning or end', () => {
    const line = `${'head '.repeat(20)}${'middle '.repeat(20)}${'tail '.repeat(20)}`;
    const ids = [
      id(line),
      id(`${line.slice(0, 63)}X${line.slice(64)}`),
      id(`${line.slice(0, -64)}X${line.slice(-63)}`),
      id(line.replace('middle ', 'middles ')),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each([1, 16, 127, 128, 129, 300])(
    'does not depend on where in a buffer a line of %i stands',
    (length) => {
      const line = Buffer.from(Array.from({ length }, (_, i) => 0x20 + (i % 90)));
      const padded = Buffer.concat([Buffer.from('before\n'), line, Buffer.from('\nafter')]);
      const seed = idSeed('node-1', line);
      const alone = recordId(seed, line, 0, length, 5).toString();
      expect(recordId(seed, padded, 7, 7 + length, 5).toString()).toBe(alone);
    },
  );

  test('another for each of line, place, content and node', () => {
    const ids = [
      id('a line', 77),
      id('a lime', 77),
      id('a line', 78),
      id('a line', 77 + 2 ** 32),
      id('a line', 77, 'another first line\n'),
      id('a line', 77, 'first line\n', 'node-2'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('a million identical lines have a million ids', () => {
    const ids = new Set<string>();
    const bytes = Buffer.from('the same line');
    const seed = idSeed('node', bytes);
    for (let i = 0; i < 1_000_000; i++) ids.add(recordId(seed, bytes, 0, bytes.length, i * 14).toString());
    expect(ids.size).toBe(1_000_000);
  });
});
