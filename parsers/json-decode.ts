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

/** Part of ECMAScript, and of Node.js since 22; not yet of TypeScript's library. */
const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
};
