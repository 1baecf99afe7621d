/** A set of characters, as ranges of code points with both ends in them. */
export type CharSet = readonly (readonly [low: number, high: number])[];
export type Assertion = 'begin' | 'end' | 'word_edge' | 'no_word_edge';

export type PatternNode =
  | { readonly kind: 'chars'; readonly set: CharSet }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'all' | 'any'; readonly of: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly of: PatternNode; readonly min: number; readonly max: number };

/** Most repetitions that `{n,m}` may ask for, as in RE2. */
const REPEAT_MAX = 1000;
const LAST = 0x10ffff;

const DIGIT: CharSet = [[0x30, 0x39]];
const WORD: CharSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SPACE: CharSet = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
const SETS: { readonly [letter: string]: CharSet } = {
  d: DIGIT,
  w: WORD,
  s: SPACE,
  D: negate(DIGIT),
  W: negate(WORD),
  S: negate(SPACE),
};
const CONTROLS: { readonly [letter: string]: number } = { t: 9, n: 10, v: 11, f: 12, r: 13 };
const ASSERTIONS: { readonly [letter: string]: Assertion } = {
  A: 'begin',
  z: 'end',
  b: 'word_edge',
  B: 'no_word_edge',
};

/** Why a pattern cannot be read. */
export class PatternError extends Error {}

/**
 * Reads a regular expression in RE2's syntax: literals, `.`, classes, groups, `|`, `* + ? {n,m}`, `^ $ \A \z \b
 * \B`, `\d \w \s`, and the flags `i` and `s`. Groups capture nothing, and laziness makes no difference to whether
 * a text matches. What RE2 refuses (back references, looking around) is refused, and so is `\p{…}`.
 *
 * @throws PatternError
 */
export function parsePattern(pattern: string): PatternNode {
  return new Reader(pattern).read();
}

interface Flags {
  readonly i: boolean;
  readonly s: boolean;
}

class Reader {
  readonly #chars: readonly string[];
  #at = 0;
  #flags: Flags = { i: false, s: false };

  constructor(pattern: string) {
    this.#chars = [...pattern];
  }

  read(): PatternNode {
    const node = this.#alternatives();
    if (this.#at < this.#chars.length) throw new PatternError('a ) without its (');
    return node;
  }

  #alternatives(): PatternNode {
    const of = [this.#sequence()];
    while (this.#take('|')) of.push(this.#sequence());
    return of.length === 1 ? of[0]! : { kind: 'any', of };
  }

  #sequence(): PatternNode {
    const of: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek())
      of.push(this.#repeated());
    return { kind: 'all', of };
  }

  #repeated(): PatternNode {
    const isRepeat = this.#repeat() !== undefined;
    if (isRepeat) throw new PatternError('nothing to repeat before * + ? or {n,m}');
    const node = this.#atom();
    const repeat = this.#repeat();
    if (repeat === undefined) return node;
    this.#take('?');
    if (this.#repeat() !== undefined)
      throw new PatternError('a repetition of a repetition: put it in a group');
    return { kind: 'repeat', of: node, ...repeat };
  }

  /** Takes `*`, `+`, `?` or `{n,m}`. A brace that is no repetition is a character. */
  #repeat(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { min: 0, max: 1 };
    if (this.#peek() !== '{') return undefined;
    const found = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#chars.slice(this.#at, this.#at + 16).join(''));
    if (found === null) return undefined;
    this.#at += found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (min > REPEAT_MAX || (max > REPEAT_MAX && max !== Number.POSITIVE_INFINITY) || min > max)
      throw new PatternError(
        `${found[0]} is no repetition: at most ${REPEAT_MAX}, and the smaller number first`,
      );
    return { min, max };
  }

  #atom(): PatternNode {
    const char = this.#next();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'chars', set: this.#cased(this.#class()) };
      case '.':
        return { kind: 'chars', set: this.#flags.s ? [[0, LAST]] : negate([[10, 10]]) };
      case '^':
        return { kind: 'assert', what: 'begin' };
      case '$':
        return { kind: 'assert', what: 'end' };
      case '\\': {
        const what = ASSERTIONS[this.#peek() ?? ''];
        if (what === undefined) return { kind: 'chars', set: this.#cased(this.#escape()) };
        this.#at += 1;
        return { kind: 'assert', what };
      }
      default:
        return { kind: 'chars', set: this.#cased(single(char.codePointAt(0)!)) };
    }
  }

  /** What follows a `(`. Flags hold to the end of the group that they stand in. */
  #group(): PatternNode {
    const outer = this.#flags;
    if (this.#take('?')) {
      const found = /^(?:P?<\w+>|([is]*)(?:-([is]+))?([:)]))/.exec(this.#chars.slice(this.#at).join(''));
      if (found === null)
        throw new PatternError('(? begins no group that is known here: (?:…), (?P<name>…), (?i), (?s)');
      this.#at += found[0].length;
      const [, on = '', off = '', end] = found;
      this.#flags = {
        i: (outer.i || on.includes('i')) && !off.includes('i'),
        s: (outer.s || on.includes('s')) && !off.includes('s'),
      };
      if (end === ')') return { kind: 'all', of: [] };
    }
    const node = this.#alternatives();
    if (!this.#take(')')) throw new PatternError('a ( without its )');
    this.#flags = outer;
    return node;
  }

  /** What follows a `[`. */
  #class(): CharSet {
    const isNegated = this.#take('^');
    const set: (readonly [number, number])[] = [];
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) {
      const low = this.#classItem();
      const isRange = this.#peek() === '-' && (this.#chars[this.#at + 1] ?? ']') !== ']';
      if (!isRange) {
        set.push(...low);
        continue;
      }
      this.#at += 1;
      const high = this.#classItem();
      const [from, to] = [low[0]![0], high[0]![1]];
      if (low.length > 1 || high.length > 1 || from > to || low[0]![1] !== from || high[0]![0] !== to)
        throw new PatternError('a range in [ ] whose ends are not two characters in order');
      set.push([from, to]);
    }
    this.#at += 1;
    // A negated class takes both cases of what it names away, so they are added before.
    return isNegated ? negate(this.#cased(set)) : set;
  }

  #classItem(): CharSet {
    const char = this.#next('a [ without its ]');
    if (char === '[' && this.#peek() === ':')
      throw new PatternError('[:name:] is not known here: name the range');
    return char === '\\' ? this.#escape() : single(char.codePointAt(0)!);
  }

  /** What follows a backslash and stands for characters. */
  #escape(): CharSet {
    const char = this.#next('a backslash at the end');
    if (SETS[char] !== undefined) return SETS[char];
    if (CONTROLS[char] !== undefined) return single(CONTROLS[char]);
    if (char === 'x') {
      const found = /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(
        this.#chars.slice(this.#at, this.#at + 8).join(''),
      );
      const code = Number.parseInt(found?.[1] ?? found?.[2] ?? '', 16);
      if (found === null || code > LAST) throw new PatternError('\\x needs two hexadecimal digits, or {…}');
      this.#at += found[0].length;
      return single(code);
    }
    if (/[0-9A-Za-z]/.test(char)) throw new PatternError(`\\${char} is not known here`);
    return single(char.codePointAt(0)!);
  }

  #cased(set: CharSet): CharSet {
    if (!this.#flags.i) return set;
    const both = [...set];
    // ASCII letters by arithmetic; of wide ranges beyond, only single characters have their other case added.
    for (const [low, high] of set) {
      for (const [from, to, shift] of [[0x41, 0x5a, 32] as const, [0x61, 0x7a, -32] as const]) {
        const [first, last] = [Math.max(low, from), Math.min(high, to)];
        if (first <= last) both.push([first + shift, last + shift]);
      }
      if (low !== high || low < 0x80) continue;
      const char = String.fromCodePoint(low);
      for (const other of [char.toLowerCase(), char.toUpperCase()])
        if ([...other].length === 1) both.push(...single(other.codePointAt(0)!));
    }
    return both;
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #next(problem = 'it ends too early'): string {
    const char = this.#chars[this.#at];
    if (char === undefined) throw new PatternError(problem);
    this.#at += 1;
    return char;
  }
}

function single(code: number): CharSet {
  return [[code, code]];
}

function negate(set: CharSet): CharSet {
  const sorted = [...set].sort(([one], [other]) => one - other);
  const rest: [number, number][] = [];
  let from = 0;
  for (const [low, high] of sorted) {
    if (low > from) rest.push([from, low - 1]);
    from = Math.max(from, high + 1);
  }
  if (from <= LAST) rest.push([from, LAST]);
  return rest;
}
