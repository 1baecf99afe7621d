import fc from 'fast-check';
import { expect, test } from 'vitest';
import { topLevelText } from '../../sinks/top-level-text.ts';

const BEGIN = Buffer.from('"timestamp":"');

test('it finds what decoding finds, wherever else the key stands', () => {
  const key = fc.oneof(fc.constantFrom('timestamp', 'timestamp":"', 'a'), fc.string({ unit: 'binary' }));
  const { value: object } = fc.letrec((tie) => ({
    value: fc.dictionary(
      key,
      fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: 'binary' }),
        fc.constantFrom('"timestamp":"x"', '\\"', 1, null, true),
        fc.array(tie('value'), { maxLength: 2 }),
        tie('value'),
      ),
      { maxKeys: 5 },
    ),
  }));
  let found = 0;
  fc.assert(
    fc.property(object, (value) => {
      const json = JSON.stringify(value);
      const text = topLevelText(Buffer.from(json), BEGIN);
      const { timestamp } = value as { timestamp?: unknown };
      // A text with escapes is left to whoever decodes.
      const isPlain = typeof timestamp === 'string' && !JSON.stringify(timestamp).includes('\\');
      expect(text).toBe(isPlain && Object.hasOwn(value as object, 'timestamp') ? timestamp : undefined);
      if (text !== undefined) found++;
    }),
    { numRuns: 2000, verbose: 1 },
  );
  expect(found).toBeGreaterThan(50);
});

test.each([
  ['<14>CEF:0|"timestamp":"x"|'],
  [''],
  ['{'],
  ['{"timestamp":"'],
  ['{"timestamp":"never closed'],
  ['{"a\\'],
  ['["timestamp":"x"]]'],
  ['}}{"timestamp":"x"'],
])('what is no object does no harm: %s', (text) => {
  expect(() => topLevelText(Buffer.from(text), BEGIN)).not.toThrow();
});
