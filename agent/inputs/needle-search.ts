/** A shorter common beginning would make too many lines look like ours. */
const SHARED_BYTES_MIN = 4;
/** `indexOf` searches for up to so many bytes by `memchr` for the first of them, which is fast where that one is rare. */
const PROBE_BYTES = 7;
/** A probe of fewer bytes is found too often. */
const PROBE_BYTES_MIN = 3;
/** So many bytes of a file tell which ones are rare. */
const SAMPLE_BYTES = 4096;
/** A packet's interfaces are of few lengths: so many places for the needle are worth a look before a search. */
const PLACES = 4;

/** What of a needle is searched for: from its rarest byte on. */
interface Probe {
  readonly bytes: Buffer;
  /** Where in the needle they stand. */
  readonly at: number;
}

/**
 * Finds the next of several texts in a chunk of bytes. Within a chunk it remembers where each of them stands next, so
 * the questions must go forwards; `begin` forgets. From the first bytes that it is shown it learns what of each text to
 * search for.
 */
export class NeedleSearch {
  readonly #needles: readonly Buffer[];
  #probes: readonly Probe[];
  #sampled = 0;
  /** Where in the chunk each needle stands next. */
  readonly #nexts: number[];
  /** Where in its line the first needle stood in the last lines that were searched for it. */
  readonly #places = new Int32Array(PLACES);
  #placed = 0;

  constructor(needles: readonly string[]) {
    this.#needles = sharedNeedles(needles).map((needle) => Buffer.from(needle, 'latin1'));
    this.#probes = this.#needles.map((needle) => probeOf(needle, []));
    this.#nexts = this.#needles.map(() => -1);
  }

  get areNone(): boolean {
    return this.#needles.length === 0;
  }

  /** Looks at `bytes[0, end)` for what is rare there, if that is more than it has seen so far. */
  learn(bytes: Buffer, end: number): void {
    const length = Math.min(SAMPLE_BYTES, end);
    if (length <= this.#sampled) return;
    this.#sampled = length;
    const counts: number[] = Array(256).fill(0);
    for (let i = 0; i < length; i++) counts[bytes[i]!]!++;
    this.#probes = this.#needles.map((needle) => probeOf(needle, counts));
  }

  /** Another chunk, or another part of it. */
  begin(): void {
    this.#nexts.fill(-1);
  }

  /** Where the first needle in `chunk[from, to)` begins, or -1. */
  find(chunk: Buffer, from: number, to: number): number {
    let first = -1;
    for (let i = 0; i < this.#needles.length; i++) {
      if (this.#nexts[i]! < from) this.#nexts[i] = this.#next(chunk, i, from);
      const at = this.#nexts[i]!;
      if (at < to && (first < 0 || at < first)) first = at;
    }
    return first;
  }

  /**
   * Where the first needle stands in the line that begins at `start`, if it stands where it did in lines before: a look
   * instead of a search; or 0.
   */
  likely(chunk: Buffer, start: number): number {
    const needle = this.#needles[0]!;
    const first = needle[0];
    for (let k = 0; k < PLACES; k++) {
      const at = start + this.#places[k]!;
      if (chunk[at] === first && !differs(chunk, at, needle, 1)) return at;
    }
    return 0;
  }

  /** Remembers for `likely` where in its line a needle was found. */
  note(place: number): void {
    this.#places[this.#placed++ % PLACES] = place;
  }

  #next(chunk: Buffer, i: number, from: number): number {
    const { bytes, at } = this.#probes[i]!;
    const needle = this.#needles[i]!;
    let found = chunk.indexOf(bytes, from + at);
    while (found >= 0 && differs(chunk, found - at, needle, 0)) {
      found = chunk.indexOf(bytes, found + 1);
    }
    return found < 0 ? Number.POSITIVE_INFINITY : found - at;
  }
}

/** Needles that begin alike are searched for by that beginning: one search instead of several. */
function sharedNeedles(needles: readonly string[]): readonly string[] {
  const [first, ...others] = needles;
  if (first === undefined || others.length === 0) return needles;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--;
  return length >= SHARED_BYTES_MIN ? [first.slice(0, length)] : needles;
}

/** @param counts how often each byte occurs; without counts the needle's beginning is as good as any part */
function probeOf(needle: Buffer, counts: readonly number[]): Probe {
  let at = 0;
  for (let i = 1; i + PROBE_BYTES_MIN <= needle.length; i++) {
    if (counts[needle[i]!]! < counts[needle[at]!]!) at = i;
  }
  return { bytes: needle.subarray(at, at + PROBE_BYTES), at };
}

/** Whether what stands at `at` is not `text`, of which the first `from` bytes are known to be alike. */
function differs(chunk: Buffer, at: number, text: Buffer, from: number): boolean {
  for (let i = from; i < text.length; i++) if (chunk[at + i] !== text[i]) return true;
  return false;
}
