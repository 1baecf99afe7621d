import { type Anchor, anchorAt, HEAD_BYTES, TAIL_BYTES } from './identity.ts';
import type { Source } from './source.ts';

/**
 * The bytes themselves of which an anchor has the hashes: a content's first ones, as far as they were seen, and
 * those before the offset up to which it was read. They tell after each read whether the file still holds it.
 */
export class Edges {
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headLength = 0;
  /** The `min(TAIL_BYTES, offset)` bytes before the offset, at the end of the buffer. */
  readonly #tail = Buffer.alloc(TAIL_BYTES);

  get head(): Buffer {
    return this.#head.subarray(0, this.#headLength);
  }

  /** Takes both from a file that was read up to `offset`. */
  load(source: Source, offset: number): void {
    this.#headLength = source.read(this.#head, 0, HEAD_BYTES, 0);
    const length = Math.min(TAIL_BYTES, offset);
    source.read(this.#tail, TAIL_BYTES - length, length, offset - length);
  }

  anchor(offset: number): Anchor {
    const length = Math.min(TAIL_BYTES, offset);
    return anchorAt(offset, this.#head, this.#tail.subarray(TAIL_BYTES - length));
  }

  /** Whether a file holds what was read of the content up to `offset`. */
  areIn(source: Source, offset: number): boolean {
    // Bytes after the offset may be a torn line that is written anew; only at offset 0 are they all there is.
    const known = offset > 0 ? Math.min(HEAD_BYTES, offset) : this.#headLength;
    if (source.read(probe, 0, known, 0) < known) return false;
    if (this.#head.compare(probe, 0, known, 0, known) !== 0) return false;
    if (offset <= HEAD_BYTES) return true;
    const length = source.read(probe, 0, TAIL_BYTES, offset - TAIL_BYTES);
    return length === TAIL_BYTES && this.#tail.compare(probe, 0, TAIL_BYTES) === 0;
  }

  /** Notes what was seen of the first bytes: `bytes[0, end)`, which stands at `position`. */
  see(bytes: Buffer, end: number, position: number): void {
    if (position >= HEAD_BYTES || position > this.#headLength) return;
    const length = Math.min(end, HEAD_BYTES - position);
    bytes.copy(this.#head, position, 0, length);
    this.#headLength = position + length;
  }

  /** Moves on: `bytes[0, end)` are the last bytes before the new offset. */
  advance(bytes: Buffer, end: number): void {
    const length = Math.min(TAIL_BYTES, end);
    this.#tail.copyWithin(0, length);
    bytes.copy(this.#tail, TAIL_BYTES - length, end - length, end);
  }
}

const probe = Buffer.allocUnsafe(Math.max(HEAD_BYTES, TAIL_BYTES));
