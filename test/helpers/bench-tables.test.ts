import { expect, test } from 'vitest';
import type { LiveCost } from '../bench/live-cost.ts';
import { liveTable } from '../bench/live-table.ts';
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

test('at work, figures are medians, and the ratio to rsyslog is taken in each round', () => {
  const cost = (cpuShare: number, p50Ms = Number.NaN): LiveCost => ({
    linesPerSecond: 500,
    requestsPerSecond: Number.NaN,
    cpuShare,
    idleCpuShare: 0.001,
    rssBytes: 80e6,
    anonymousBytes: 28e6,
    p50Ms,
    p99Ms: Number.NaN,
    written: 1,
    taken: 1,
  });
  const results = new Map([
    ['allowed/agent', [cost(0.01, 200), cost(0.03, 220), cost(0.02, 210)]],
    ['allowed/rsyslog', [cost(0.01), cost(0.01), cost(0.04)]],
  ]);
  const contenders = ['agent', 'rsyslog', 'syslog-ng'].map((name) => ({ name, does: 'file' }));
  const [heading, , ours, rsyslog, target] = liveTable('allowed', contenders, results).split('\n');
  expect(heading).toBe('allowed: 500 lines/s');
  expect(ours!.split(/ {2,}/)).toEqual([
    'agent',
    'file',
    '2.00',
    '1.00',
    '0.10',
    '80.0',
    '28.0',
    '-',
    '210',
    '-',
  ]);
  expect(rsyslog!.split(/ {2,}/).slice(0, 4)).toEqual(['rsyslog', 'file', '1.00', '1.00']);
  expect(target).toContain('at most');
});

test('without rsyslog there is no ratio', () => {
  const [cost] = [{ cpuShare: 0.01 } as LiveCost];
  const table = liveTable(
    'allowed',
    [{ name: 'agent', does: 'HTTP' }],
    new Map([['allowed/agent', [cost!]]]),
  );
  expect(table).toMatch(/agent +HTTP +1\.00 +-/);
});
