/**
 * A JSON scanner over bytes: it finds where values end, and makes nothing of them.
 *
 * It accepts exactly what `JSON.parse` accepts of the decoded bytes, but for one thing: values nested deeper
 * than `DEPTH_MAX` are refused. While it walks it notes in `plain` whether everything so far is written the
 * way `JSON.stringify` would write it: ASCII, without white space, escapes, or objects of unknown shape (whose
 * members could repeat or be reordered). Bytes of a plain value may be copied out as they stand.
 * `exact` says so of numbers: that each is an integer which a JavaScript number holds and prints unchanged.
 *
 * Positions are indexes into the buffer. A negative result is an error: `BAD` where the text cannot be JSON,
 * `CUT` where it ends too early.
 */
export class JsonScanner {
  plain = true;
  exact = true;
  /** A string with an escape was passed. */
  escaped = false;
  /** The bytes, four at a time. */
  view: DataView = new DataView(new ArrayBuffer(0));
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;
  readonly #inObject = new Uint8Array(DEPTH_MAX);

  /** Makes ready to scan `bytes` up to `end`. */
  open(bytes: Uint8Array, end: number): void {
    if (bytes !== this.#bytes) this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#bytes = bytes;
    this.#end = end;
    this.plain = true;
    this.exact = true;
    this.escaped = false;
  }

  /** The first position at or after `at` that is not white space, at most `end`. */
  space(at: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    if (at >= end || bytes[at]! > SPACE) return at;
    let i = at;
    while (i < end && IS_SPACE[bytes[i]!] === 1) i++;
    if (i > at) this.plain = false;
    return i;
  }

  /** @param at after the opening quote @returns after the closing quote, or an error */
  string(at: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    for (let i = this.#ordinary(at); i < end; i++) {
      const c = bytes[i]!;
      if (STRING_CLASS[c] === ORDINARY) continue;
      if (c === QUOTE) return i + 1;
      if (c < SPACE) return BAD;
      this.plain = false;
      if (c !== BACKSLASH) continue;
      this.escaped = true;
      const kind = ++i < end ? bytes[i]! : 0;
      if (i >= end) return CUT;
      if (kind === 0x75 /* u */) {
        for (let digits = 4; digits > 0; digits--) {
          if (++i >= end) return CUT;
          if (!isHexDigit(bytes[i]!)) return BAD;
        }
      } else if (!SIMPLE_ESCAPES.includes(kind)) return BAD;
    }
    return CUT;
  }

  /** @returns the first byte at or after `at` that is not an ordinary one of a string, or one of the last four */
  #ordinary(at: number): number {
    const view = this.view;
    const last = this.#end - 4;
    let i = at;
    for (; i <= last; i += 4) {
      const four = view.getInt32(i, true);
      // Each term has the high bit of a byte set if that byte is a quote, a backslash, below a space, not ASCII.
      const found =
        ((four ^ 0x22222222) - 0x01010101) | ((four ^ 0x5c5c5c5c) - 0x01010101) | (four - 0x20202020) | four;
      const high = found & 0x80808080;
      // A borrow may set the bit of a byte behind the one that is meant: the lowest is true.
      if (high !== 0) return i + ((31 - Math.clz32(high & -high)) >> 3);
    }
    return i;
  }

  /** Any value, with what is in it. @param at its first byte @returns after its last, or an error */
  value(at: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let i = at;
    let depth = 0;
    for (;;) {
      if (i >= end) return CUT;
      const c = bytes[i]!;
      let closed = true;
      if (c === QUOTE) i = this.string(i + 1);
      else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
        if (depth === DEPTH_MAX) return BAD;
        const inObject = c === OPEN_BRACE;
        this.#inObject[depth++] = inObject ? 1 : 0;
        i = this.space(i + 1);
        if (i >= end) return CUT;
        if (bytes[i] === (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
          i++;
          depth--;
        } else {
          closed = false;
          if (inObject) i = this.#key(i);
        }
      } else if (c === MINUS || (c >= ZERO && c <= NINE)) i = this.number(i);
      else i = literal(bytes, i, end);
      if (i < 0) return i;

      while (closed) {
        if (depth === 0) return i;
        i = this.space(i);
        if (i >= end) return CUT;
        const inObject = this.#inObject[depth - 1] === 1;
        const next = bytes[i++]!;
        if (next === COMMA) {
          i = this.space(i);
          if (inObject) i = this.#key(i);
          if (i < 0) return i;
          closed = false;
        } else if (next === (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) depth--;
        else return BAD;
      }
    }
  }

  /** @param at its first byte @returns after its last, or an error */
  number(at: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let i = at;
    const negative = bytes[i] === MINUS;
    if (negative) i++;
    const first = i;
    i = digits(bytes, i, end);
    if (i === first) return i >= end ? CUT : BAD;
    if (bytes[first] === ZERO && i > first + 1) return BAD;
    if (i - first > EXACT_DIGITS_MAX || (negative && bytes[first] === ZERO)) this.exact = false;
    if (i < end && bytes[i] === POINT) {
      this.exact = false;
      const from = i + 1;
      i = digits(bytes, from, end);
      if (i === from) return i >= end ? CUT : BAD;
    }
    if (i < end && (bytes[i]! | 0x20) === 0x65 /* e */) {
      this.exact = false;
      let from = i + 1;
      if (from < end && (bytes[from] === MINUS || bytes[from] === PLUS)) from++;
      i = digits(bytes, from, end);
      if (i === from) return i >= end ? CUT : BAD;
    }
    return i;
  }

  /** A key and its colon, inside an object of unknown shape. @returns the value's position, or an error */
  #key(at: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    this.plain = false;
    if (at >= end) return CUT;
    if (bytes[at] !== QUOTE) return BAD;
    const after = this.string(at + 1);
    return after < 0 ? after : this.colon(after);
  }

  /** @param at after a key @returns where its value begins, or an error */
  colon(at: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    const i = this.space(at);
    if (i >= end) return CUT;
    if (bytes[i] !== COLON) return BAD;
    return this.space(i + 1);
  }
}

export const BAD = -1;
export const CUT = -2;

/** Nesting beyond this is no log line; the bound keeps the scanner's stack fixed. */
export const DEPTH_MAX = 64;

export const SPACE = 0x20;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const BACKSLASH = 0x5c;
const COLON = 0x3a;
const POINT = 0x2e;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
/** Integers of so many digits are exact as numbers, and printed as they stand. */
const EXACT_DIGITS_MAX = 15;

const ORDINARY = 0;
/** Per byte: 0 where a string simply goes on. */
const STRING_CLASS = new Uint8Array(256).fill(1);
STRING_CLASS.fill(ORDINARY, SPACE, 0x80);
STRING_CLASS[QUOTE] = 1;
STRING_CLASS[BACKSLASH] = 1;
const IS_SPACE = new Uint8Array(256);
for (const c of ' \t\n\r') IS_SPACE[c.charCodeAt(0)] = 1;
const SIMPLE_ESCAPES = Buffer.from('"\\/bfnrt');
const LITERALS = ['true', 'false', 'null'].map((word) => Buffer.from(word));

function isHexDigit(c: number): boolean {
  return (c >= ZERO && c <= NINE) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66);
}

function digits(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i]! >= ZERO && bytes[i]! <= NINE) i++;
  return i;
}

function literal(bytes: Uint8Array, at: number, end: number): number {
  for (const word of LITERALS) {
    if (bytes[at] !== word[0]) continue;
    for (let k = 1; k < word.length; k++) {
      if (at + k >= end) return CUT;
      if (bytes[at + k] !== word[k]) return BAD;
    }
    return at + word.length;
  }
  return BAD;
}
