import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linesOf } from '../../../agent/kubernetes/lines-of.ts';
import { ListScanner } from '../../../agent/kubernetes/list-scanner.ts';

/** A list as it comes in chunks of these lengths, the last one for the rest. */
function scan(text: string, lengths: readonly number[]): { items: unknown[]; envelope: unknown } {
  const items: unknown[] = [];
  const scanner = new ListScanner((item) => items.push(item));
  for (const chunk of chunksOf(Buffer.from(text), lengths)) scanner.push(chunk);
  return { items, envelope: scanner.end() };
}

function* chunksOf(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const length of lengths) {
    // A buffer that is used again: nothing may be kept of it.
    const chunk = Buffer.from(bytes.subarray(at, at + length));
    yield chunk;
    chunk.fill(0);
    at += length;
  }
  yield bytes.subarray(at);
}

describe('a list', () => {
  const metadata = { resourceVersion: '7', continue: 'x' };

  test.each([
    [
      'with its metadata first, as of built-in resources',
      { kind: 'PodList', metadata, items: [{ a: 1 }, { b: [2] }] },
    ],
    ['with its metadata last, as of custom resources', { items: [{ a: 1 }], kind: 'X', metadata }],
    ['that is empty', { metadata, items: [] }],
    ['with brackets and quotes in strings', { metadata, items: [{ a: ']}"\\' }, { '"{[': ['\\"'] }] }],
    ['without items', { metadata, items: null }],
  ])('%s', (_, list) => {
    const { items, envelope } = scan(JSON.stringify(list, null, 1), []);
    expect(items).toEqual(list.items ?? []);
    expect(envelope).toEqual({ ...list, items: list.items === null ? null : [] });
  });

  test('comes out the same however it is cut', () => {
    const list = fc.record({
      metadata: fc.record({ resourceVersion: fc.string() }),
      items: fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(list, fc.array(fc.nat(40)), (value, lengths) => {
        const plain = JSON.parse(JSON.stringify(value));
        const { items, envelope } = scan(JSON.stringify(value), lengths);
        expect(items).toEqual(plain.items);
        expect(envelope).toEqual({ ...plain, items: [] });
      }),
      { numRuns: 1000 },
    );
  });

  test('that breaks off is none', () => {
    expect(() => scan('{"metadata":{},"items":[{"a":1},{"b"', [5])).toThrow(SyntaxError);
  });
});

test('the lines of a stream come out the same however it is cut; a last one without its end does not', async () => {
  const lines = ['{"a":"ü"}', '', '{"b":2}'];
  const bytes = Buffer.from(`${lines.join('\n')}\n{"c`);
  for (let length = 1; length < bytes.length; length++) {
    const chunks = new Array<number>(Math.ceil(bytes.length / length)).fill(length);
    async function* stream() {
      for (let at = 0; at < bytes.length; at += chunks[0]!) yield bytes.subarray(at, at + length);
    }
    const got: string[] = [];
    for await (const line of linesOf(stream())) got.push(line);
    expect(got).toEqual(lines);
  }
});
