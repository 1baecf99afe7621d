import { hash, hashState, hexOf } from './hash.ts';
import type { Source } from './source.ts';

/** Of a file's beginning, as many bytes tell it from others. */
export const HEAD_BYTES = 1024;
/** Of the bytes before an offset, as many tell whether the file still is what was read. */
export const TAIL_BYTES = 1024;
/** Fewer equal bytes may be two files' usual first lines. */
export const SAME_BYTES_MIN = 256;
/**
 * A file that is shorter than what was read of a content, but holds so many bytes of it, is what a crash of the
 * machine left of it, or a copy made a moment before. Fewer may be a header that many files have.
 */
export const SHORTER_BYTES_MIN = 4096;

/**
 * What is known of the content of a file up to an offset: hashes of its first bytes and of those before the
 * offset. It outlives rename, copy and compression; an inode's number, which is used again, does not tell as
 * much. At offset 0 nothing is known and nothing matches.
 */
export interface Anchor {
  readonly offset: number;
  /** Of the first `min(HEAD_BYTES, offset)` bytes. */
  readonly head: string;
  /** Of the `min(TAIL_BYTES, offset)` bytes before the offset. */
  readonly tail: string;
}

const work = hashState();
const scratch = Buffer.allocUnsafe(Math.max(HEAD_BYTES, TAIL_BYTES));
const scratch2 = Buffer.allocUnsafe(scratch.length);

export function digest(bytes: Uint8Array, start: number, end: number): string {
  work.fill(0);
  hash(work, bytes, start, end);
  return hexOf(work).toString('latin1');
}

/**
 * @param head the content's first bytes, at least `min(HEAD_BYTES, offset)`
 * @param tail the bytes before the offset, exactly `min(TAIL_BYTES, offset)`
 */
export function anchorAt(offset: number, head: Uint8Array, tail: Uint8Array): Anchor {
  return {
    offset,
    head: digest(head, 0, Math.min(HEAD_BYTES, offset)),
    tail: digest(tail, 0, tail.length),
  };
}

/** The anchor of what `source` holds up to `offset`; undefined where it is shorter. */
export function anchorOf(source: Source, offset: number): Anchor | undefined {
  const hashes = hashesAt(source, offset);
  return hashes && { offset, ...hashes };
}

/** Whether `source` holds that content up to the anchor's offset, or is too short to tell. */
export function compare(source: Source, anchor: Anchor): 'held' | 'short' | 'other' {
  if (anchor.offset === 0) return 'other';
  const hashes = hashesAt(source, anchor.offset, anchor.head);
  if (hashes === undefined) return 'short';
  return hashes.head === anchor.head && hashes.tail === anchor.tail ? 'held' : 'other';
}

/** @param expected stop at the head when it is not this one: the tail of a compressed file is far away */
function hashesAt(source: Source, offset: number, expected?: string) {
  const headLength = Math.min(HEAD_BYTES, offset);
  if (source.read(scratch, 0, headLength, 0) < headLength) return undefined;
  const head = digest(scratch, 0, headLength);
  if (expected !== undefined && head !== expected) return { head, tail: '' };
  const tailLength = Math.min(TAIL_BYTES, offset);
  if (source.read(scratch, 0, tailLength, offset - tailLength) < tailLength) return undefined;
  return { head, tail: digest(scratch, 0, tailLength) };
}

/** Whether two sources have the same first bytes, and the same last ones before `size`. */
export function sameBytes(a: Source, b: Source, size: number): boolean {
  if (size === 0) return false;
  const tail = Math.min(size, TAIL_BYTES);
  return same(a, b, 0, Math.min(size, HEAD_BYTES)) && same(a, b, size - tail, tail);
}

function same(a: Source, b: Source, position: number, length: number): boolean {
  if (a.read(scratch, 0, length, position) < length || b.read(scratch2, 0, length, position) < length)
    return false;
  return scratch.compare(scratch2, 0, length, 0, length) === 0;
}
