import { closeSync, fstatSync } from 'node:fs';
import type { Format } from '../../parsers/line.ts';
import { arrange, type Following } from './arrange.ts';
import { type Candidate, isCopyOfActive, lastLineEnd, stateOf } from './candidate.ts';
import { Candidates } from './candidates.ts';
import type { Entry, FileId, RotatedSet } from './discover.ts';
import { FollowedFile, type SavedFile } from './followed-file.ts';
import { isCopyOfOpen, type Recognised, recognise } from './recognise.ts';
import type { Trouble } from './trouble.ts';
import { StillUnpacking } from './unpack.ts';

/** What is known of a content that no file holds any more is kept so long, for it may come back. */
const FORGET_MS = 3_600_000;

export interface CatalogOptions {
  /** Beginning of the keys of its checkpoints. */
  readonly name: string;
  readonly node: string;
  readonly format: Format;
  /** As configured. */
  readonly paths: readonly string[];
  readonly start: 'end' | 'beginning';
  readonly lineBytesMax: number;
}

/**
 * Knows every content of one input and finds out, at each listing, which file holds which. It promises that a
 * content is read from one place at a time and from where it was left, whatever its file is called by then; a
 * content that nobody knows is new and is read from its beginning (but for what was there before the first
 * start, with `start: end`).
 *
 * How a file is recognised, in this order: an open one by its inode, which the descriptor keeps from being
 * used again; a closed one by inode and content; one under a backup's name that holds the same bytes as an
 * open active file is its copy, to be read when the original was truncated; one that holds what a content
 * without a file held is where that content went (copied, compressed, restored).
 */
export class Catalog {
  readonly #options: CatalogOptions;
  readonly #trouble: Trouble;
  readonly #contents = new Set<FollowedFile>();
  /** Configured paths that had their first start. */
  readonly #started: Set<string>;
  /** Files that were there at the first start and could not be opened then. */
  readonly #early = new Set<FileId>();
  readonly #forgotten: string[] = [];
  readonly #candidates: Candidates;
  /** Contents whose file is in the current listing. */
  readonly #present = new Set<FollowedFile>();
  #following: readonly Following[] = [];
  #nextKey: number;

  constructor(
    options: CatalogOptions,
    started: readonly string[],
    saved: ReadonlyMap<string, SavedFile>,
    trouble: Trouble,
  ) {
    this.#options = options;
    this.#trouble = trouble;
    this.#candidates = new Candidates(trouble);
    this.#started = new Set(started);
    this.#nextKey = 0;
    for (const [key, file] of saved) {
      const content = new FollowedFile(key, options.format.open(file.parser), options.node);
      content.restore(file);
      this.#contents.add(content);
      this.#nextKey = Math.max(this.#nextKey, Number(key.slice(key.lastIndexOf('/') + 1)) + 1);
    }
  }

  get contents(): Iterable<FollowedFile> {
    return this.#contents;
  }

  get following(): readonly Following[] {
    return this.#following;
  }

  /** Sets that are not to be read yet: of an older file it is not known what it holds. List again to go on. */
  get waiting(): ReadonlySet<string> {
    return this.#candidates.waiting;
  }

  /** Paths that had their first start; kept, so that a file that comes later is known to be new. */
  get started(): ReadonlySet<string> {
    return this.#started;
  }

  /** Keys of contents that are forgotten since the last call. */
  takeForgotten(): string[] {
    return this.#forgotten.splice(0);
  }

  close(): void {
    for (const file of this.#contents) file.close();
    this.#candidates.close();
  }

  /** Takes a fresh listing in: afterwards `following` names the open files of each set in order. */
  update(sets: readonly RotatedSet[], nowMs: number): void {
    this.#noticeTruncation(nowMs);
    this.#present.clear();
    const holders = new Map<FileId, FollowedFile>();
    for (const file of this.#contents) {
      if (file.open !== undefined || file.closedAs !== undefined) holders.set(file.id, file);
    }
    const listed = new Set<FileId>();
    const unknown: Entry[] = [];
    for (const { entries } of sets) {
      for (const entry of entries) {
        if (listed.has(entry.id)) continue;
        listed.add(entry.id);
        const file = holders.get(entry.id);
        if (file?.open !== undefined || file?.closedAs === stateOf(entry)) this.#found(file!, entry, nowMs);
        else unknown.push(entry);
      }
    }
    for (const file of this.#contents) {
      if (this.#present.has(file)) continue;
      if (file.active) file.grownMs = nowMs;
      file.active = false;
      file.closedAs = undefined; // Should its inode come back, it is another file's.
    }
    this.#examine(unknown, nowMs);
    const open = [...this.#contents].filter((file) => file.open !== undefined);
    this.#following = arrange(sets, open, this.#following);
    for (const file of open) file.mark();
    // What has to wait was there at the first start all the same.
    if (this.waiting.size === 0) for (const path of this.#options.paths) this.#started.add(path);
    this.#forget(nowMs);
  }

  /** The open file no longer holds what was read of it: its content has gone, and a new one begins in it. */
  truncated(file: FollowedFile, nowMs: number): void {
    const next = this.#create(nowMs);
    next.id = file.id;
    next.path = file.path;
    next.active = file.active;
    next.set = file.set;
    next.attach(file.open!, 0);
    file.detach();
    this.#present.delete(file);
    this.#present.add(next);
    file.id = '';
    file.seenMs = nowMs;
    file.dirty = true;
    this.#following = this.#following.map(({ path, files }) => ({
      path,
      files: files.map((one) => (one === file ? next : one)),
    }));
    this.#trouble.event('truncated', 1);
  }

  /** Whether an open file no longer holds what was read of it. */
  #noticeTruncation(nowMs: number): boolean {
    let noticed = false;
    for (const file of this.#contents) {
      if (file.open === undefined) continue;
      try {
        if (file.unchanged()) continue;
        this.truncated(file, nowMs);
        noticed = true;
      } catch {
        // A read that fails says nothing about the content; the reading of lines will tell.
      }
    }
    return noticed;
  }

  /** Contents of which no file is known yet in this listing. */
  #absent(): FollowedFile[] {
    return [...this.#contents].filter((file) => !this.#present.has(file));
  }

  #create(nowMs: number): FollowedFile {
    const { name, format, node } = this.#options;
    const file = new FollowedFile(`${name}/${this.#nextKey++}`, format.open(), node);
    file.grownMs = nowMs;
    this.#contents.add(file);
    return file;
  }

  #found(file: FollowedFile, entry: Entry, nowMs: number): void {
    file.path = entry.path;
    if (file.active && !entry.active) file.grownMs = nowMs; // The writer may hold it for a while.
    file.active = entry.active;
    file.set = entry.set;
    file.seenMs = nowMs;
    this.#present.add(file);
  }

  /** Finds out what the files hold that no open file accounts for. */
  #examine(entries: readonly Entry[], nowMs: number): void {
    const candidates = this.#candidates.open(entries, ({ pattern, id }) => {
      if (!this.#started.has(pattern)) this.#early.add(id);
    });
    // Who is where it was comes first: it is not what another file is a copy of.
    const moved = candidates.filter((candidate) => {
      const done = this.#candidates.look(candidate, () => {
        if (isCopyOfOpen(candidate, this.#contents) || isCopyOfActive(candidate, candidates)) return false;
        const known = recognise(candidate, this.#absent());
        return known?.file.id === candidate.entry.id && this.#resume(known, candidate, nowMs);
      });
      return !done;
    });
    // Then active files: what a backup may be a copy of is open before the backup is looked at.
    moved.sort((a, b) => Number(b.entry.active) - Number(a.entry.active));
    for (const [place, candidate] of moved.entries()) {
      this.#candidates.look(candidate, () => {
        if (this.waiting.has(candidate.entry.set)) throw new StillUnpacking();
        const others = moved.slice(place + 1);
        let known: Recognised | 'copy' | undefined = isCopyOfOpen(candidate, this.#contents)
          ? 'copy'
          : recognise(candidate, this.#absent(), others);
        // Its original may have been truncated a moment ago, and was still taken for intact.
        if (known === undefined && this.#noticeTruncation(nowMs))
          known = recognise(candidate, this.#absent(), others);
        // An empty backup may be a copy that has only begun.
        const isEmpty = known === undefined && !candidate.entry.active && candidate.size === 0;
        if (known === undefined && !isEmpty) this.#begin(candidate, nowMs);
        else if (known === undefined || known === 'copy' || !this.#resume(known, candidate, nowMs))
          closeSync(candidate.open.fd);
        return true;
      });
    }
  }

  /**
   * Reads a content on in the file that holds it. False when that was truncated in the meantime: the content is
   * then still nowhere, and may be found in a copy.
   */
  #resume({ file, held }: Recognised, { entry, open }: Candidate, nowMs: number): boolean {
    // A copy that was still being made when it was opened is complete once its original was truncated.
    const size = open.packed ? 0 : fstatSync(open.fd).size;
    file.close();
    if (!file.attach(open, held === 'all' ? size : held)) return false;
    file.id = entry.id;
    file.grownMs = nowMs;
    this.#found(file, entry, nowMs);
    if (open.packed && held === 'all') file.skip();
    if (open.packed ? held === 'all' : !entry.active && file.offset === size) this.#close(file, entry);
    return true;
  }

  /** A content that nobody knows. */
  #begin(candidate: Candidate, nowMs: number): void {
    const { entry, open, size } = candidate;
    const file = this.#create(nowMs);
    file.id = entry.id;
    this.#found(file, entry, nowMs);
    const early = !this.#started.has(entry.pattern) || this.#early.has(entry.id);
    if (!early || this.#options.start === 'beginning') file.attach(open, 0);
    else if (open.packed) {
      file.attach(open, 0);
      file.skip();
      this.#close(file, entry);
    } else {
      file.attach(open, lastLineEnd(open, size, this.#options.lineBytesMax));
      if (!entry.active && file.offset === size) this.#close(file, entry);
    }
    this.#trouble.event('opened', 1);
  }

  #close(file: FollowedFile, entry: Entry): void {
    file.close();
    file.closedAs = stateOf(entry);
    file.dirty = true;
  }

  /** Forgets closed files that were in no listing for a while, and at once those of which nothing is known. */
  #forget(nowMs: number): void {
    for (const file of this.#contents) {
      if (file.open !== undefined) continue;
      if (file.seenMs === 0) file.seenMs = nowMs;
      if (nowMs - file.seenMs < FORGET_MS && (file.offset > 0 || file.closedAs !== undefined)) continue;
      this.#contents.delete(file);
      this.#forgotten.push(file.key);
    }
  }
}
