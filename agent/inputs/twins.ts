import type { Following } from './arrange.ts';
import type { FollowedFile } from './followed-file.ts';

/** A daemon writes a line to all its files at nearly the same time; after so long it is there or never. */
const TOGETHER_MS = 2_000;
const RECHECK_MS = 60_000;
/** Where a line is looked for: so many bytes from the end of the other files. */
const SEARCH_BYTES = 8 * 1024 * 1024;
const NEWLINE = 10;

interface State {
  /** Its last sampled line is not in another set, since then. */
  missingMs?: number | undefined;
  nextMs: number;
  /** The content that was found to be no twin; the next one is asked again. */
  own?: string;
  twin: boolean;
}

/**
 * Of several sets of one input that hold the same lines (syslog and kern.log; a daemon writes each line to
 * both) one is read: the first in the configured order. A later set is a twin if its latest line of ours stands,
 * byte for byte, in an earlier set. It is then not read, but sampled once a minute and at each rotation: what
 * was confirmed counts as read, and if a sample is missing for two seconds, the set is read from what was last
 * confirmed on. So a change of the daemon's rules loses nothing; it may repeat the lines of a minute.
 */
export class Twins {
  readonly #states = new Map<string, State>();
  readonly #needles: readonly Buffer[];
  readonly #found: (path: string, twin: string) => void;

  /** @param found is told when a set turns out to be the twin of another */
  constructor(needles: readonly string[], found: (path: string, twin: string) => void) {
    this.#needles = needles.map((needle) => Buffer.from(needle, 'latin1'));
    this.#found = found;
  }

  /** Whether a set must not be read now: `twin`, or `undecided` while a line may yet appear elsewhere. */
  verdict(set: Following, earlier: readonly Following[], nowMs: number): 'own' | 'twin' | 'undecided' {
    const file = set.files.findLast(({ open }) => open !== undefined && !open.packed);
    if (file === undefined || earlier.length === 0) return 'own';
    let state = this.#states.get(set.path);
    if (state === undefined) {
      state = { nextMs: nowMs, twin: false };
      this.#states.set(set.path, state);
    }
    if (state.own === file.key) return 'own';
    if (!file.pending) return state.twin ? 'twin' : 'own';
    if (nowMs < state.nextMs) return state.twin ? 'twin' : 'undecided';
    const sample = this.#lastLine(file);
    if (sample === undefined) return state.twin ? 'twin' : 'own';
    const other = earlier.find(({ files }) => files.some((one) => holdsLine(one, sample.line)));
    if (other !== undefined) {
      for (const one of set.files) one.passTo(one === file ? sample.end : one.size);
      if (!state.twin) this.#found(set.path, other.path);
      this.#states.set(set.path, { nextMs: nowMs + RECHECK_MS, twin: true });
      return 'twin';
    }
    state.missingMs ??= nowMs;
    const writtenMs = Number(file.mtimeNs / 1_000_000n);
    const settled = nowMs - state.missingMs >= TOGETHER_MS || nowMs - writtenMs >= TOGETHER_MS;
    if (!settled) return 'undecided';
    this.#states.set(set.path, { nextMs: nowMs, own: file.key, twin: false });
    return 'own';
  }

  /** The last whole line with a needle that was not read yet. */
  #lastLine(file: FollowedFile): { line: Buffer; end: number } | undefined {
    const from = Math.max(file.offset, file.size - SEARCH_BYTES);
    const bytes = Buffer.allocUnsafe(Math.max(0, file.size - from));
    const whole = bytes.subarray(
      0,
      bytes.lastIndexOf(NEWLINE, file.open!.source.read(bytes, 0, bytes.length, from) - 1) + 1,
    );
    const at = Math.max(...this.#needles.map((needle) => whole.lastIndexOf(needle)));
    if (at < 0) return undefined;
    const end = whole.indexOf(NEWLINE, at) + 1;
    return { line: whole.subarray(whole.lastIndexOf(NEWLINE, at) + 1, end), end: from + end };
  }
}

function holdsLine({ open, size }: FollowedFile, line: Buffer): boolean {
  if (open === undefined || open.packed) return false;
  const from = Math.max(0, size - SEARCH_BYTES);
  const bytes = Buffer.allocUnsafe(size - from);
  return bytes.subarray(0, open.source.read(bytes, 0, bytes.length, from)).includes(line);
}
