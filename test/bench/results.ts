/** Costs by file, or kind of lines, and program, one for each round. */
export type Results<Cost> = Map<string, Cost[]>;

export function resultKey(file: string, program: string): string {
  return `${file}/${program}`;
}

export function addResult<Cost>(results: Results<Cost>, file: string, program: string, cost: Cost): void {
  const key = resultKey(file, program);
  results.set(key, [...(results.get(key) ?? []), cost]);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
