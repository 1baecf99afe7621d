import { expect, test } from 'vitest';
import { cpuBetween } from '../bench/process-cost.ts';

test('CPU is told to the nanosecond, but by ticks where a thread has ended in between', () => {
  const before = { threadsS: 1.0001, ticksS: 1 };
  expect(cpuBetween(before, { threadsS: 1.0046, ticksS: 1.01 })).toBeCloseTo(0.0045, 9);
  expect(cpuBetween(before, { threadsS: 0.7, ticksS: 1.3 })).toBeCloseTo(0.3, 9);
});
