import { CUT, JsonScanner } from './json-scan.ts';
import type { UnparsableReason } from './line.ts';

/** What a line of JSON holds, or why it holds none. */
export type DecodedLine = { readonly value: unknown } | { readonly reason: UnparsableReason };

/** Decodes a line that is one JSON value. Numbers are kept as by `decodeJsonExactly`. */
export function decodeJsonLine(bytes: Buffer, start: number, end: number): DecodedLine {
  scanner.open(bytes, end);
  const after = scanner.value(scanner.space(start));
  if (after === CUT) return { reason: 'truncated' };
  if (after < 0 || scanner.space(after) !== end) return { reason: 'bad_json' };
  const text = bytes.toString('utf8', start, end);
  return { value: scanner.exact ? JSON.parse(text) : decodeJsonExactly(text) };
}

/**
 * `JSON.parse` that keeps every number as it is written: one that JavaScript would print otherwise (more digits
 * than it holds, `1.50`, `1e3`) becomes a raw JSON value, which `JSON.stringify` writes unchanged.
 * @throws SyntaxError as `JSON.parse` does
 */
export function decodeJsonExactly(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && String(value) !== source ? json.rawJSON(source!) : value,
  );
}

const scanner = new JsonScanner();

/** Part of ECMAScript, and of Node.js since 22; not yet of TypeScript's library. */
const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
};
