import { statSync } from 'node:fs';
import type { Environment, Loaded, NotLoaded } from './load.ts';
import { loadConfig } from './load.ts';
import { digestOf } from './named-files.ts';

const LOOK_INTERVAL_MS = 1_000;
/** A file system's times may stand still for so long between two writes. */
const COARSE_MS = 2_500;

/**
 * Notices that the configuration changed: its file, a file that `${file:…}` put into it, or one that a sink names, as a
 * certificate.
 *
 * Promises: each change of content is reported once, whether it is written in place, renamed over, or a mounted
 * ConfigMap whose `..data` link is swapped; changes between two looks are reported as one; a touch is none. A
 * configuration that is wrong is reported too, with its problems: what to do about it is the caller's business.
 * Refuses: to report while the configuration file is away or half a character is written; it looks again.
 *
 * Contents are compared, not times, for times may stand still between two writes; but files that had been left alone for
 * a while when they were last read, and have the same times, are not read again.
 */
export class ConfigWatch {
  readonly #path: string;
  readonly #env: Environment;
  #files: readonly string[];
  #seen = '';
  /** What the file system said of the files when they held nothing new; empty while they were just written. */
  #still = '';
  #reported: string;
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** @param loaded what was loaded last: only what differs from it is a change */
  constructor(path: string, env: Environment, loaded: Loaded | NotLoaded) {
    this.#path = path;
    this.#env = env;
    this.#files = loaded.files;
    this.#reported = loaded.fingerprint;
  }

  /** @returns the configuration as it is now, if it is another than at the last report */
  look(nowMs: number = Date.now()): Loaded | NotLoaded | undefined {
    const { stamps, writtenMs } = stampsOf(this.#files);
    if (stamps === this.#still) return undefined;
    // Taken before loading: what changes in between differs from it at the next look.
    const seen = digestOf(this.#files);
    if (seen === this.#seen) {
      this.#still = nowMs - writtenMs > COARSE_MS ? stamps : '';
      return undefined;
    }
    const loaded = loadConfig(this.#path, this.#env);
    if (!loaded.ok && loaded.unreadable) return undefined;
    const sameFiles = loaded.files.join('\n') === this.#files.join('\n');
    this.#seen = sameFiles ? seen : '';
    this.#files = loaded.files;
    if (loaded.fingerprint === this.#reported) return undefined;
    this.#reported = loaded.fingerprint;
    return loaded;
  }

  /**
   * The same, at most once a second: for whoever wakes up that often for other reasons. A timer of its own was a
   * quarter of what an idle agent costs.
   */
  lookNowAndThen(nowMs: number): Loaded | NotLoaded | undefined {
    // A clock that was set back must not put it off.
    if (Math.abs(nowMs - this.#lookedMs) < LOOK_INTERVAL_MS) return undefined;
    this.#lookedMs = nowMs;
    return this.look(nowMs);
  }
}

/** What tells files that were written from those that were not, and when the last of them was. */
function stampsOf(files: readonly string[]): { stamps: string; writtenMs: number } {
  let stamps = '';
  let writtenMs = 0;
  for (const file of files) {
    stamps += `${file}\n`;
    try {
      const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs, ctimeMs } = statSync(file, { bigint: true });
      stamps += `${dev}:${ino} ${size} ${mtimeNs} ${ctimeNs}\n`;
      writtenMs = Math.max(writtenMs, Number(ctimeMs), Number(mtimeMs));
    } catch {
      // It is away, or not for us to see.
    }
  }
  return { stamps, writtenMs };
}
