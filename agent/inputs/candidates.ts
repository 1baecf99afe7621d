import { closeSync } from 'node:fs';
import { type Candidate, openCandidate } from './candidate.ts';
import type { Entry, FileId } from './discover.ts';
import type { Trouble } from './trouble.ts';
import { StillUnpacking } from './unpack.ts';

/**
 * The files that are opened at one listing to find out what they hold. Whoever looks into one takes its
 * descriptor or closes it; where looking fails it is closed here, and opened again at the next listing. A
 * compressed file that takes longer stays open from one listing to the next, and its set has to wait.
 */
export class Candidates {
  readonly #trouble: Trouble;
  readonly #slow = new Map<FileId, Candidate>();
  /** Sets of which a file needs more time, by path. */
  readonly waiting = new Set<string>();

  constructor(trouble: Trouble) {
    this.#trouble = trouble;
  }

  /** @param failed is told of a file that cannot be opened */
  open(entries: readonly Entry[], failed: (entry: Entry) => void): Candidate[] {
    const slow = new Map(this.#slow);
    this.#slow.clear();
    this.waiting.clear();
    const candidates: Candidate[] = [];
    for (const entry of entries) {
      const begun = slow.get(entry.id);
      slow.delete(entry.id);
      const candidate = begun === undefined ? this.#open(entry, failed) : { ...begun, entry };
      if (candidate !== undefined) candidates.push(candidate);
    }
    for (const { open } of slow.values()) closeSync(open.fd);
    return candidates;
  }

  #open(entry: Entry, failed: (entry: Entry) => void): Candidate | undefined {
    try {
      const candidate = openCandidate(entry);
      if (candidate === 'not regular') {
        this.#trouble.complain(entry.path, candidate, 'cannot read it: it is not a regular file');
        return undefined;
      }
      if (candidate !== undefined) this.#trouble.settled(entry.path);
      return candidate;
    } catch (error) {
      failed(entry);
      this.#trouble.failed(entry.path, error);
      return undefined;
    }
  }

  /** Looks into a file. @returns what `look` does, or true: nothing more can be done with it now */
  look(candidate: Candidate, look: () => boolean): boolean {
    const { entry, open } = candidate;
    try {
      return look();
    } catch (error) {
      if (error instanceof StillUnpacking) this.waiting.add(entry.set);
      else this.#trouble.failed(entry.path, error);
      if (error instanceof StillUnpacking && open.packed) this.#slow.set(entry.id, candidate);
      else closeSync(open.fd);
      return true;
    }
  }

  close(): void {
    for (const { open } of this.#slow.values()) closeSync(open.fd);
    this.#slow.clear();
  }
}
