const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/**
 * The text under a key of a JSON object, not of one within it. It looks at bytes, for to decode a large batch of
 * records for one field of each would take several times the batch's memory.
 * @param json without white space between its parts
 * @param begin of the member: its key, the colon, and the opening quote, as `"timestamp":"`
 * @returns undefined where there is no such member, its text holds an escape, or `json` is no object
 */
export function topLevelText(json: Buffer, begin: Buffer): string | undefined {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) {
      const start = at + begin.length;
      if (depth === 1 && start <= json.length && begin.compare(json, at, start) === 0) {
        const text = json.toString('utf8', start, textEnd(json, start) - 1);
        return text.includes('\\') ? undefined : text;
      }
      at = textEnd(json, at + 1) - 1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--;
  }
  return undefined;
}

/** The place behind the quote that closes the text which begins at `start`. */
function textEnd(json: Buffer, start: number): number {
  let at = start;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}
