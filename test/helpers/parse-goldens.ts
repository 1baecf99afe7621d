import { readFileSync } from 'node:fs';
import type { Format } from '../../parsers/line.ts';

/** One line of a fixture, what a parser makes of it, and what it should. */
export interface Golden {
  readonly name: string;
  readonly line: string;
  readonly got: string;
  readonly expected: string;
}

/**
 * Parses `NAME.log` of a folder of fixtures beside `NAME.expected.ndjson`: a record, or `{reason}`, for each line.
 * Both are
 * JSON as `JSON.stringify` writes it; records have `line-N` as id.
 */
export function parseGoldens(folder: string, name: string, format: Format): Golden[] {
  const read = (file: string) =>
    readFileSync(new URL(`../fixtures/${folder}/${file}`, import.meta.url), 'utf8');
  const lines = read(`${name}.log`).trimEnd().split('\n');
  const expected = read(`${name}.expected.ndjson`).trimEnd().split('\n');
  if (lines.length !== expected.length) throw new Error(`${folder}/${name}: not one expectation a line`);
  const parser = format.open();
  return lines.map((line, index) => {
    const bytes = Buffer.from(line);
    const parsed = parser.parse(bytes, 0, bytes.length, 0);
    const hasRecord = parsed.kind === 'flow' || parsed.kind === 'log';
    const outcome = hasRecord
      ? parsed.toRecord(`line-${index + 1}`)
      : { reason: parsed.kind === 'unparsable' ? parsed.reason : parsed.kind };
    return { name: `${name} ${index + 1}`, line, got: JSON.stringify(outcome), expected: expected[index]! };
  });
}
