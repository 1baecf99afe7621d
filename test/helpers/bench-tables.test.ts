import { expect, test } from 'vitest';
import { median } from '../bench/results.ts';
import { parseSize, targetTable } from '../bench/tables.ts';

test.each([
  ['20MB', 20e6],
  ['1GB', 1e9],
  ['1.5GB', 1.5e9],
  ['12', Number.NaN],
  ['1GiB', Number.NaN],
])('the size %s is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test('the median of an even number of values lies between the middle two', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([9, 1, 3])).toBe(3);
});

test('a target is a ratio of lines per CPU-second, taken in each round, for files of different size too', () => {
  const cost = (cpuS: number) => ({ cpuS, wallS: cpuS, peakRssBytes: 1 });
  const file = (lines: number) => ({ path: '', bytes: 1, lines, matching: lines });
  const files = new Map([
    ['dense', file(1000)],
    ['gke', file(500)],
  ] as const);
  // Per round: 500 lines in 1, 2, 3 s beside 1000 lines in 4, 4, 4 s.
  const results = new Map([
    ['gke/agent: parse', [cost(1), cost(2), cost(3)]],
    ['dense/mawk', [cost(4), cost(4), cost(4)]],
  ]);
  const target = {
    file: 'gke',
    contender: 'agent: parse',
    than: { contender: 'mawk', file: 'dense' },
  } as const;
  expect(targetTable([{ ...target, atLeast: 1 }], files, [], results)).toMatch(/1\.00 × +met/);
  expect(targetTable([{ ...target, atLeast: 1.1 }], files, [], results)).toMatch(/1\.00 × +missed/);
  expect(targetTable([{ ...target, file: 'mixed', atLeast: 1 }], files, [], results)).toContain(
    'not measured',
  );
});
