import { type Assertion, type CharSet, PatternError, type PatternNode, parsePattern } from './pattern.ts';

/** Steps that a pattern may have, once its repetitions are written out. */
const STEPS_MAX = 10_000;
/** States that are kept ready; beyond, they are made anew. */
const STATES_MAX = 500;
const ASCII = 128;

type Step =
  | { readonly kind: 'chars'; readonly set: CharSet; readonly next: number }
  | { readonly kind: 'assert'; readonly what: Assertion; readonly next: number }
  | { readonly kind: 'fork'; next: number; other: number }
  | { readonly kind: 'match' };

/** What stands on one side of a position, as assertions see it. */
type Side = 'edge' | 'word' | 'other';

/** Where the steps may be after some characters, and what they lead to; `true` is a match. */
interface State {
  readonly steps: readonly number[];
  readonly before: Side;
  /** By the next ASCII character, and at `ASCII` by the end of the text; filled on demand. */
  readonly next: (State | true | undefined)[];
}

/**
 * A regular expression that never takes longer than in proportion to the text, whatever the pattern: all ways through
 * the pattern are followed at once, and the sets of places that this leads to are kept as the states of an
 * automaton, made as texts need them. V8's own engine tries one way after another and can take exponential time, so a
 * pattern or a name in a log could hold up a node.
 *
 * It says only whether a text matches somewhere; `^` and `$` tie it to the ends. Memory is bounded by
 * `STEPS_MAX` and `STATES_MAX`.
 */
export class LinearRegExp {
  readonly #steps: Step[] = [];
  readonly #start: number;
  #states = new Map<string, State>();

  /** @throws PatternError */
  constructor(pattern: string) {
    const match = this.#add({ kind: 'match' });
    this.#start = this.#compile(parsePattern(pattern), match);
  }

  test(text: string): boolean {
    let state = this.#state([this.#start], 'edge');
    for (let at = 0; at < text.length; at += 1) {
      const code = text.codePointAt(at)!;
      const next = code < ASCII ? this.#next(state, code) : this.#follow(state, code);
      if (next === true) return true;
      state = next;
      if (code > 0xffff) at += 1;
    }
    return this.#next(state, undefined) === true;
  }

  /** What `#follow` gives, kept for the next time. */
  #next(state: State, code: number | undefined): State | true {
    const known = state.next[code ?? ASCII];
    if (known !== undefined) return known;
    const next = this.#follow(state, code);
    state.next[code ?? ASCII] = next;
    return next;
  }

  /** The state after one more character, or after the end. */
  #follow(state: State, code: number | undefined): State | true {
    const after = code === undefined ? 'edge' : isWord(code) ? 'word' : 'other';
    const seen = new Set<number>();
    const pending = [...state.steps];
    const reached = new Set<number>();
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      const step = this.#steps[at]!;
      if (step.kind === 'match') return true;
      if (step.kind === 'fork') pending.push(step.next, step.other);
      else if (step.kind === 'assert') {
        if (holds(step.what, state.before, after)) pending.push(step.next);
      } else if (code !== undefined && contains(step.set, code)) reached.add(step.next);
    }
    // A match may begin anywhere, so the pattern's start is always among the places.
    reached.add(this.#start);
    return this.#state([...reached], after);
  }

  #state(steps: number[], before: Side): State {
    steps.sort((one, other) => one - other);
    const name = `${before} ${steps}`;
    let state = this.#states.get(name);
    if (state === undefined) {
      if (this.#states.size >= STATES_MAX) this.#forgetStates();
      state = { steps, before, next: new Array(ASCII + 1).fill(undefined) };
      this.#states.set(name, state);
    }
    return state;
  }

  #forgetStates(): void {
    for (const state of this.#states.values()) state.next.fill(undefined);
    this.#states = new Map();
  }

  /** Adds a node's steps, which lead on to `next`; gives where they begin. */
  #compile(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'chars':
        return this.#add({ kind: 'chars', set: node.set, next });
      case 'assert':
        return this.#add({ kind: 'assert', what: node.what, next });
      case 'all':
        return node.of.reduceRight((after, one) => this.#compile(one, after), next);
      case 'any':
        return node.of
          .map((one) => this.#compile(one, next))
          .reduce((one, other) => this.#add({ kind: 'fork', next: one, other }));
      case 'repeat':
        return this.#compileRepeat(node.of, node.min, node.max, next);
    }
  }

  #compileRepeat(of: PatternNode, min: number, max: number, next: number): number {
    let start = next;
    if (max === Number.POSITIVE_INFINITY) {
      const fork = { kind: 'fork' as const, next: 0, other: next };
      start = this.#add(fork);
      fork.next = this.#compile(of, start);
    } else {
      for (let extra = min; extra < max; extra += 1)
        start = this.#add({ kind: 'fork', next: this.#compile(of, start), other: next });
    }
    for (let times = 0; times < min; times += 1) start = this.#compile(of, start);
    return start;
  }

  #add(step: Step): number {
    if (this.#steps.length >= STEPS_MAX)
      throw new PatternError('it is too large, with its repetitions written out');
    return this.#steps.push(step) - 1;
  }
}

/** Why a pattern cannot be used; undefined where it can. */
export function patternProblem(pattern: string): string | undefined {
  try {
    new LinearRegExp(pattern);
    return undefined;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return `expected a regular expression in RE2 syntax, not ${error.message}`;
  }
}

function holds(what: Assertion, before: Side, after: Side): boolean {
  if (what === 'begin') return before === 'edge';
  if (what === 'end') return after === 'edge';
  return ((before === 'word') !== (after === 'word')) === (what === 'word_edge');
}

function isWord(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95
  );
}

function contains(set: CharSet, code: number): boolean {
  for (const [low, high] of set) if (code >= low && code <= high) return true;
  return false;
}
