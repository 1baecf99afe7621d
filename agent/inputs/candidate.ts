import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type Entry, fileId } from './discover.ts';
import type { OpenFile } from './followed-file.ts';
import { sameBytes } from './identity.ts';
import { PlainSource } from './source.ts';
import { UnpackedSource } from './unpack.ts';

const NEWLINE = 10;

/** A file that was opened to find out what it holds. */
export interface Candidate {
  readonly entry: Entry;
  readonly open: OpenFile;
  readonly size: number;
}

/**
 * Opens a listed file, without ever blocking. Undefined where another file has its name by now, or none: the
 * next listing tells. Throws what `open` does otherwise.
 */
export function openCandidate(entry: Entry): Candidate | 'not regular' | undefined {
  if (!entry.regular) return 'not regular';
  let fd: number;
  try {
    // Not blocking: since the listing a FIFO may have taken the name.
    fd = openSync(entry.path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const stats = fstatSync(fd, { bigint: true });
  if (fileId(stats) !== entry.id) {
    closeSync(fd);
    return undefined;
  }
  const { compression } = entry;
  const source = compression === 'none' ? new PlainSource(fd) : new UnpackedSource(fd, compression);
  return { entry, open: { fd, source, packed: compression !== 'none' }, size: Number(stats.size) };
}

/** Whether a backup was copied from an active file that is not open yet either. */
export function isCopyOfActive({ entry, open, size }: Candidate, others: readonly Candidate[]): boolean {
  if (entry.active || open.packed) return false;
  const active = others.find((other) => other.entry.active && other.entry.set === entry.set);
  return active !== undefined && sameBytes(active.open.source, open.source, size);
}

/** A file's size and time of writing, which tell whether a closed file was written to. */
export function stateOf({ size, mtimeNs }: { size: bigint | number; mtimeNs: bigint }): string {
  return `${size}@${mtimeNs}`;
}

/** Where the last whole line of a file ends, so that a torn one is read when it is complete. */
export function lastLineEnd({ source }: OpenFile, size: number, lineBytesMax: number): number {
  const bytes = Buffer.alloc(Math.min(size, lineBytesMax));
  const length = source.read(bytes, 0, bytes.length, size - bytes.length);
  const newline = bytes.lastIndexOf(NEWLINE, length - 1);
  return newline < 0 && bytes.length < size ? size : size - bytes.length + newline + 1;
}
