import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SkippingSearch } from '../../../agent/inputs/skipping-search.ts';

test('a text is found where it is, and only within the bounds', () => {
  const letters = (constraints: fc.ArrayConstraints) =>
    fc.array(fc.constantFrom('a', 'b', 'c'), constraints).map((all) => all.join(''));
  fc.assert(
    fc.property(
      letters({ minLength: 1, maxLength: 4 }),
      letters({ maxLength: 20 }),
      fc.nat(20),
      (text, line, start) => {
        const search = new SkippingSearch(text);
        const bytes = Buffer.from(`${line}abc`);
        expect(search.isIn(bytes, start, line.length)).toBe(line.slice(start).includes(text));
      },
    ),
    { numRuns: 2_000 },
  );
});
