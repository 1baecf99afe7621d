import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const BEHAVIOURS = [
  'accepts',
  'refuses one record',
  'is too small for a batch',
  'throttles',
  'refuses credentials',
  'stalls',
  'resets mid-body',
  'answers garbage',
  'outage, 50,000 records waiting',
  'killed in mid-stream',
  'agent killed in mid-stream',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** What one sink did. */
export interface ConformanceRow {
  readonly name: string;
  readonly destination: string;
  readonly guarantee: string;
  readonly results: Readonly<Record<string, string>>;
}

// Suites of several projects leave rows, one file each; one table shows them.
const FOLDER = join(import.meta.dirname, '../../reports/conformance');

export function leaveRow(row: ConformanceRow): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${row.name.replaceAll(/\W+/g, '-')}.json`), JSON.stringify(row));
}

export function readRows(): ConformanceRow[] {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).sort() : [];
  return files.map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')));
}
