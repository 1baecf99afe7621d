import { type HashState, hash, hashState, hexOf } from './hash.ts';

/** Of a file's first line, as many bytes go into the ids of its records. */
export const SEED_BYTES = 256;

/** Of a line's beginning and of its end, as many bytes go into its id: its time and its ports are there. */
const EDGE_BYTES = 64;
const NEWLINE = 10;
const work = hashState();

/**
 * What all record ids of one content have in common: the node and the content's first line. Neither path nor
 * inode is in it, so a file that was renamed, copied or compressed gives the same ids again.
 * @param head the content's first bytes, uncompressed: its first line, or `SEED_BYTES` of it
 */
export function idSeed(node: string, head: Uint8Array): HashState {
  const newline = head.indexOf(NEWLINE);
  const length = Math.min(SEED_BYTES, newline < 0 ? head.length : newline + 1);
  const seed = hashState();
  const name = Buffer.from(node);
  hash(seed, name, 0, name.length);
  hash(seed, head, 0, length);
  return seed;
}

/**
 * The id of the line `bytes[start, end)` that begins at `offset`: 32 hexadecimal digits in ASCII, in memory that is used
 * again. Seed and offset alone tell the
 * lines of one content apart; length and edges those of contents that begin with the same line.
 */
export function recordId(
  seed: HashState,
  bytes: Uint8Array,
  start: number,
  end: number,
  offset: number,
): Buffer {
  work[0] = seed[0]! ^ (offset | 0);
  work[1] = seed[1]! ^ Math.floor(offset / 0x1_0000_0000);
  work[2] = seed[2]! ^ (end - start);
  work[3] = seed[3]!;
  if (end - start <= 2 * EDGE_BYTES) {
    hash(work, bytes, start, end);
  } else {
    hash(work, bytes, start, start + EDGE_BYTES);
    hash(work, bytes, end - EDGE_BYTES, end);
  }
  return hexOf(work);
}
