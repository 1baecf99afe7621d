import { fstatSync } from 'node:fs';
import type { Format } from '../../parsers/line.ts';
import type { FileInput as FileInputConfig } from '../config/inputs.ts';
import type { Checkpoint } from '../outbox/types.ts';
import { stateOf } from './candidate.ts';
import { Catalog } from './catalog.ts';
import { Discovery } from './discover.ts';
import type { FollowedFile, SavedFile } from './followed-file.ts';
import { LineSplitter } from './lines.ts';
import { type FileDeps, Trouble } from './trouble.ts';
import { Twins } from './twins.ts';
import type { Input, LineHandler } from './types.ts';
import { StillUnpacking } from './unpack.ts';

const CHUNK_BYTES = 128 * 1024;
/** One set reads so much, then it is the next one's turn. */
const TURN_BYTES = 1024 * 1024;
/** A backup that did not grow for so long is finished; should it grow later, a listing tells. */
const QUIET_MS = 60_000;
/** A file that changes at every reading is not followed for ever within one poll. */
const LISTS_MAX = 100;
/** A directory that changes at every listing is not listed for ever; the next poll goes on. */
const OVERTAKEN_MAX = 10;
const RETRY_MS = 1_000;
const POLL_MS_MAX = 1_000;

/** Opens the input of one entry under `inputs`; nothing is touched before its first `poll`. */
export function openInput(
  config: FileInputConfig & { name: string },
  format: Format,
  saved: readonly Checkpoint[],
  deps: FileDeps,
): Input {
  return new FileInput(config, format, saved, deps);
}

/**
 * Polls the files of one input: lists directories when they changed, looks whether open files grew, and reads
 * in turns: within a rotated set oldest first, so that time goes forwards; between sets fairly. A backup stays
 * open until all of it is read, it has not grown for a minute, and a newer file has lines: only then its torn
 * last line counts as a line. The active file stays open always.
 */
class FileInput implements Input {
  readonly name: string;
  readonly #config: FileInputConfig;
  readonly #discovery: Discovery;
  readonly #catalog: Catalog;
  readonly #splitter: LineSplitter;
  readonly #trouble: Trouble;
  readonly #buffer: Buffer;
  readonly #twins: Twins | undefined;
  /** Sets that are not read, by path. */
  readonly #held = new Map<string, 'twin' | 'undecided'>();
  #turn = 0;
  #behind = false;
  #relist = true;
  /** A compressed file is still on its way to where it is read on. */
  #isUnpacking = false;
  #grownMs = Number.NEGATIVE_INFINITY;
  #startedSaved: number;

  constructor(
    config: FileInputConfig & { name: string },
    format: Format,
    saved: readonly Checkpoint[],
    deps: FileDeps,
  ) {
    this.name = config.name;
    this.#config = config;
    this.#trouble = new Trouble(config.name, deps);
    this.#discovery = new Discovery(config.paths);
    this.#splitter = new LineSplitter(format, config.line_bytes_max, (bytes) =>
      this.#trouble.event('nul_bytes', bytes),
    );
    if (config.format === 'syslog') {
      this.#twins = new Twins([...format.needles, ...(format.sequels ?? [])], (path, twin) =>
        deps.log.info(
          { input: config.name, path, twin },
          'not read: it holds the same lines as another file',
        ),
      );
    }
    this.#buffer = Buffer.alloc(Math.max(CHUNK_BYTES, 2 * config.line_bytes_max));
    const files = new Map<string, SavedFile>();
    let started: string[] = [];
    for (const { key, input, json } of saved) {
      if (input !== this.name) continue;
      if (key === this.#startedKey) started = JSON.parse(json);
      else files.set(key, JSON.parse(json));
    }
    this.#startedSaved = started.length;
    const options = {
      name: config.name,
      node: deps.node,
      format,
      paths: config.paths,
      start: config.start,
      lineBytesMax: config.line_bytes_max,
    };
    this.#catalog = new Catalog(options, started, files, this.#trouble);
  }

  get #startedKey(): string {
    return `${this.name}/started`;
  }

  poll(nowMs: number, bytesMax: number, handler: LineHandler): number {
    if (this.#discovery.due(nowMs)) this.#relist = true;
    this.#isUnpacking = false;
    this.#refresh(nowMs);
    let total = 0;
    for (let lists = 0; ; lists++) {
      const before = total;
      const sets = this.#catalog.following.length;
      for (let i = 0; i < sets && total < bytesMax; i++) {
        const place = this.#turn++ % sets;
        const set = this.#catalog.following[place]!;
        if (this.#catalog.waiting.has(set.path) || this.#isHeld(place, nowMs)) continue;
        total += this.#readSet(set.files, Math.min(TURN_BYTES, bytesMax - total), nowMs, handler);
        if (this.#relist) break;
      }
      if (this.#relist && lists < LISTS_MAX) this.#refresh(nowMs);
      else if (this.#relist || total === before || total >= bytesMax) break;
    }
    if (this.#catalog.waiting.size > 0) this.#relist = true;
    this.#behind = total >= bytesMax || this.#relist || this.#isUnpacking;
    if (total > 0) this.#grownMs = nowMs;
    // What waits is not quiet.
    const isWaiting = this.#relist || this.#isUnpacking || [...this.#held.values()].includes('undecided');
    return isWaiting ? Math.max(1, total) : total;
  }

  nextPollMs(nowMs: number): number {
    if (this.#behind) return 0;
    const quietMs = nowMs - this.#grownMs;
    return Math.max(this.#config.poll_interval, Math.min(POLL_MS_MAX, quietMs / 8));
  }

  checkpoints(): { put: Checkpoint[]; forget: string[] } {
    const input = this.name;
    const put: Checkpoint[] = [];
    const { started } = this.#catalog;
    if (started.size !== this.#startedSaved) {
      put.push({ key: this.#startedKey, input, json: JSON.stringify([...started]) });
      this.#startedSaved = started.size;
    }
    for (const file of this.#catalog.contents) {
      if (!file.dirty) continue;
      file.dirty = false;
      put.push({ key: file.key, input, json: JSON.stringify(file.save()) });
    }
    return { put, forget: this.#catalog.takeForgotten() };
  }

  lag(): { path: string; bytes: number }[] {
    const read = this.#catalog.following.filter(({ path }) => this.#held.get(path) !== 'twin');
    return read.flatMap(({ files }) =>
      files.map(({ path, size, offset }) => ({ path, bytes: Math.max(0, size - offset) })),
    );
  }

  close(): void {
    this.#catalog.close();
  }

  /** Lists what may have changed, and asks which of the open files grew. */
  #refresh(nowMs: number): void {
    for (let lists = 0; this.#relist && lists < OVERTAKEN_MAX; lists++) {
      this.#catalog.update(this.#discovery.list(nowMs), nowMs);
      // A backup that came meanwhile is older than what was found, and must be read before it.
      this.#relist = this.#discovery.overtaken();
    }
    this.#relist = false;
    for (const { files } of this.#catalog.following) for (const file of files) this.#look(file, nowMs);
  }

  /** Whether a set is not read, for an earlier one holds the same lines, or may. */
  #isHeld(place: number, nowMs: number): boolean {
    const sets = this.#catalog.following;
    const set = sets[place]!;
    const earlier = sets.slice(0, place).filter(({ path }) => !this.#held.has(path));
    const verdict = this.#twins?.verdict(set, earlier, nowMs) ?? 'own';
    if (verdict === 'own') this.#held.delete(set.path);
    else this.#held.set(set.path, verdict);
    return verdict !== 'own';
  }

  /** Asks whether an open file changed since it was last looked at. */
  #look(file: FollowedFile, nowMs: number): void {
    if (file.open === undefined || nowMs < file.retryMs) return;
    try {
      const stats = fstatSync(file.open.fd, { bigint: true });
      const size = Number(stats.size);
      if (size === file.size && stats.mtimeNs === file.mtimeNs) return;
      file.size = size;
      file.mtimeNs = stats.mtimeNs;
      file.pending = true;
      file.grownMs = nowMs;
    } catch (error) {
      this.#failed(file, error, nowMs);
    }
  }

  /** Reads from the oldest file that has bytes; a newer one waits until all before it are read. */
  #readSet(files: readonly FollowedFile[], bytesMax: number, nowMs: number, handler: LineHandler): number {
    let total = 0;
    for (const file of files) {
      if (file.open === undefined || nowMs < file.retryMs) continue;
      try {
        while (file.pending) {
          if (total >= bytesMax) return total;
          const read = file.read(this.#buffer, this.#splitter, handler);
          if (read === 'changed') {
            this.#catalog.truncated(file, nowMs);
            this.#relist = true;
            return total;
          }
          total += read;
          file.pending = read === this.#buffer.length;
        }
        this.#trouble.settled(file.path);
        if (this.#isFinished(file, files, nowMs)) this.#finish(file, handler);
      } catch (error) {
        if (!(error instanceof StillUnpacking)) this.#failed(file, error, nowMs);
        else {
          this.#isUnpacking = true;
          return total;
        }
      }
    }
    return total;
  }

  #isFinished(file: FollowedFile, files: readonly FollowedFile[], nowMs: number): boolean {
    if (file.active) return false;
    if (file.open!.packed) return true;
    if (nowMs - file.grownMs < QUIET_MS) return false;
    // The writer went on elsewhere.
    return files.some((other) => other !== file && other.size > 0 && other.mtimeNs >= file.mtimeNs);
  }

  #finish(file: FollowedFile, handler: LineHandler): void {
    file.finish(this.#buffer, this.#splitter, handler);
    const error = file.open!.source.error;
    if (error !== undefined) {
      this.#trouble.complain(file.path, 'damaged', `cannot unpack all of it: ${error.message}`);
    }
    file.close();
    file.closedAs = stateOf(file);
    this.#trouble.event('finished', 1);
  }

  #failed(file: FollowedFile, error: unknown, nowMs: number): void {
    file.retryMs = nowMs + RETRY_MS;
    file.mtimeNs = -1n;
    this.#trouble.failed(file.path, error);
  }
}
