import { Buffer } from 'node:buffer';
import { sameText } from './byte-view.ts';

/** Sides that are remembered: 2,048, of up to half a kilobyte each. */
const WAYS = 4;
const SETS = 512;
const PLACE_BYTES = 512;
/** A record's side is copied in words: so much more than there is may be read. */
const WORD_BYTES = 8;
const CLOSE_BRACE = 0x7d;
const RESOLVED = Buffer.from(',"resolved_by":"upstream"}');

/** What `find` gives where nothing is known. */
export const UNKNOWN = -1;

/**
 * Remembers the named sides of policy-action lines, `{"pod_name":…}`, as records have them, for those of a node's
 * lines are of the same pods again and again.
 *
 * - Only an object that a record has as it stands, but for the note of whose names they are, may be added. What
 *   begins with its bytes begins with that object, for an object shows where it ends; so it need not be scanned.
 * - A side is looked for by the address that the line gives it, which most often is the same pod's. That decides
 *   about speed alone: all of the side's bytes are compared.
 * - It forgets a side when another needs its place.
 */
export class SideMemory {
  readonly #bytes = Buffer.alloc(WAYS * SETS * PLACE_BYTES);
  /** Where the sides of records stand. */
  readonly view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  readonly #samples = new Int32Array(WAYS * SETS);
  /** Of the objects as lines have them, and as records have them; 0 at places where none is. */
  readonly #lengths = new Uint16Array(WAYS * SETS);
  readonly #recordLengths = new Uint16Array(WAYS * SETS);
  /** Which of a set's places is written over next. */
  readonly #turns = new Uint8Array(SETS);

  /**
   * The place of the side that stands at `at`, or `UNKNOWN`.
   * @param sample what `sampleOf` gives for its address
   */
  find(sample: number, view: DataView, at: number, end: number): number {
    const first = (sample & (SETS - 1)) * WAYS;
    for (let place = first; place < first + WAYS; place++) {
      if (this.#samples[place] !== sample) continue;
      // All but the closing brace, where a record's side may go on.
      const length = this.#lengths[place]! - 1;
      if (length < 0 || at + length >= end || view.getUint8(at + length) !== CLOSE_BRACE) continue;
      if (sameText(view, at, this.view, place * PLACE_BYTES, length)) return place;
    }
    return UNKNOWN;
  }

  /** How long the side at a place is in a line. */
  lengthOf(place: number): number {
    return this.#lengths[place]!;
  }

  /** Where in `view` the record's side at a place begins; behind its end are eight bytes more. */
  startOf(place: number): number {
    return place * PLACE_BYTES;
  }

  endOf(place: number): number {
    return place * PLACE_BYTES + this.#recordLengths[place]!;
  }

  /**
   * Remembers the object `bytes[start, end)`.
   * @param isResolved whether it says itself whose names they are
   * @param inUse a place that stays as it is
   */
  add(sample: number, bytes: Buffer, start: number, end: number, isResolved: boolean, inUse: number): void {
    const length = end - start;
    if (length + RESOLVED.length + WORD_BYTES > PLACE_BYTES) return;
    const place = this.#nextPlace(sample & (SETS - 1), inUse);
    const to = place * PLACE_BYTES;
    bytes.copy(this.#bytes, to, start, end);
    if (!isResolved) RESOLVED.copy(this.#bytes, to + length - 1);
    this.#samples[place] = sample;
    this.#lengths[place] = length;
    this.#recordLengths[place] = isResolved ? length : length - 1 + RESOLVED.length;
  }

  #nextPlace(set: number, inUse: number): number {
    let turn = this.#turns[set]!;
    if (set * WAYS + turn === inUse) turn = (turn + 1) % WAYS;
    this.#turns[set] = (turn + 1) % WAYS;
    return set * WAYS + turn;
  }
}

/** A hash of the address `bytes[start, end)`. */
export function sampleOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}
