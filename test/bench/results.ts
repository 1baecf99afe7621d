import type { Cost } from './measure.ts';

/** Costs by file and program, one for each round. */
export type Results = Map<string, Cost[]>;

export function resultKey(file: string, program: string): string {
  return `${file}/${program}`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
