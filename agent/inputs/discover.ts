import { type BigIntStats, globSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, matchesGlob } from 'node:path';
import { type Compression, type RotatedName, readName } from './names.ts';

/** A directory is listed again at least this often, for file systems that do not tell of changes. */
const RELIST_MS = 5_000;
/** After a change a directory is listed at every poll for so long: its time may be coarse. */
const SETTLE_MS = 2_500;
const GLOB_CHARACTERS = /[*?[\]{}]/;

/** A file that a configured path stands for, as a listing found it. */
export interface Entry {
  readonly path: string;
  readonly id: FileId;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly compression: Compression;
  /** Whether the writer writes here: the set's base name, and not a backup. */
  readonly active: boolean;
  /** The active path of its set. */
  readonly set: string;
  /** The configured path that it was found by. */
  readonly pattern: string;
  readonly regular: boolean;
}

/** Device and inode, as text: `DEVICE:INODE`. */
export type FileId = string;

export function fileId(stats: BigIntStats): FileId {
  return `${stats.dev}:${stats.ino}`;
}

/** The files that one writer made one after the other, oldest first. */
export interface RotatedSet {
  /** The active file's path, whether it is there or not. */
  readonly path: string;
  readonly entries: readonly Entry[];
}

interface Directory {
  mtimeNs: bigint;
  changedMs: number;
}

/**
 * Finds the files that the configured paths and globs stand for, each with its rotated siblings. A path means
 * that file and its backups; a glob means every set of which it matches a member. Order: as configured, then
 * by name; within a set oldest first, by number or date, or by time of writing where a set has both.
 * Nothing is opened, and nothing that is missing or unreadable is an error here: it may come later.
 */
export class Discovery {
  readonly #paths: readonly string[];
  readonly #directories = new Map<string, Directory>();
  #actives: { path: string; id: FileId | undefined }[] = [];
  #listedMs = Number.NEGATIVE_INFINITY;

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** Whether something may have changed since the last `list`; cheap: a stat for each directory and active file. */
  due(nowMs: number): boolean {
    let due = nowMs - this.#listedMs >= RELIST_MS || nowMs < this.#listedMs;
    for (const [path, directory] of this.#directories) {
      const mtimeNs = status(path)?.mtimeNs ?? -1n;
      if (mtimeNs !== directory.mtimeNs) {
        directory.mtimeNs = mtimeNs;
        directory.changedMs = nowMs;
      }
      due ||= nowMs - directory.changedMs < SETTLE_MS;
    }
    if (due) return true;
    return this.#actives.some(({ path, id }) => {
      const stats = status(path);
      return (stats && fileId(stats)) !== id;
    });
  }

  /** Whether a directory changed since `list` looked into it: what came then is not in that listing. */
  overtaken(): boolean {
    for (const [path, { mtimeNs }] of this.#directories) {
      if ((status(path)?.mtimeNs ?? -1n) !== mtimeNs) return true;
    }
    return false;
  }

  list(nowMs: number): RotatedSet[] {
    this.#listedMs = nowMs;
    const before = new Map(this.#directories);
    this.#directories.clear();
    const names = new Map<string, string[]>();
    const namesIn = (directory: string): string[] => {
      let found = names.get(directory);
      if (found === undefined) {
        const mtimeNs = status(directory)?.mtimeNs ?? -1n;
        const known = before.get(directory);
        const changedMs = known === undefined || known.mtimeNs !== mtimeNs ? nowMs : known.changedMs;
        this.#directories.set(directory, { mtimeNs, changedMs });
        found = namesOf(directory);
        names.set(directory, found);
      }
      return found;
    };
    const sets = new Map<string, RotatedSet>();
    for (const pattern of this.#paths) {
      for (const path of activePaths(pattern, namesIn)) {
        if (!sets.has(path)) sets.set(path, { path, entries: entriesOf(path, pattern, namesIn) });
      }
    }
    this.#actives = [...sets.keys()].map((path) => {
      const stats = status(path);
      return { path, id: stats && fileId(stats) };
    });
    return [...sets.values()];
  }
}

/** The active files' paths that a configured path or glob stands for. */
function activePaths(pattern: string, namesIn: (directory: string) => string[]): string[] {
  if (!GLOB_CHARACTERS.test(pattern)) return [pattern];
  const name = basename(pattern);
  const parent = dirname(pattern);
  const directories = GLOB_CHARACTERS.test(parent) ? directoriesOf(parent) : [parent];
  const paths = new Set<string>();
  for (const directory of directories) {
    const bases = new Set<string>();
    for (const candidate of namesIn(directory)) {
      if (matchesGlob(candidate, name)) bases.add(readName(candidate).base);
    }
    for (const base of [...bases].sort()) paths.add(inFolder(directory, base));
  }
  return [...paths];
}

function entriesOf(path: string, pattern: string, namesIn: (directory: string) => string[]): Entry[] {
  const places = [path];
  const target = realPath(path);
  if (target !== undefined && target !== path) places.push(target);
  const found: (Entry & { name: RotatedName })[] = [];
  for (const place of places) {
    const base = basename(place);
    const directory = dirname(place);
    const stem = /^.[^.]*/.exec(base)![0];
    // A directory that changes while it is listed may leave names out; the active one must not be missed.
    const siblings = namesIn(directory).filter((name) => name.startsWith(stem) && name !== base);
    siblings.push(base);
    for (const name of siblings) {
      const read = name === base ? ACTIVE : readName(name);
      if (name !== base && read.base !== base) continue;
      // A compressed file beside the plain one is not finished, or not needed.
      if (read.compression !== 'none' && siblings.includes(name.slice(0, name.lastIndexOf('.')))) continue;
      const at = inFolder(directory, name);
      const stats = status(at);
      if (stats === undefined || found.some((entry) => entry.id === fileId(stats))) continue;
      found.push({
        path: at,
        id: fileId(stats),
        size: stats.size,
        mtimeNs: stats.mtimeNs,
        compression: read.compression,
        active: name === base,
        set: path,
        pattern,
        regular: stats.isFile(),
        name: read,
      });
    }
  }
  const schemes = new Set(found.map((entry) => entry.name.scheme).filter((scheme) => scheme !== 'active'));
  return found.sort((a, b) => {
    if (a.active !== b.active) return a.active ? 1 : -1;
    const byName =
      schemes.size > 1 ? 0 : b.name.number - a.name.number || compare(a.name.digits, b.name.digits);
    return byName || compare(a.mtimeNs, b.mtimeNs) || compare(a.path, b.path);
  });
}

const ACTIVE: RotatedName = { base: '', scheme: 'active', number: 0, digits: '', compression: 'none' };

/** As `join`, of a path that is as it should be: `join` looks at every character, once for each file at every listing. */
function inFolder(folder: string, name: string): string {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function status(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function namesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function directoriesOf(pattern: string): string[] {
  try {
    return globSync(pattern).sort();
  } catch {
    return [];
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
