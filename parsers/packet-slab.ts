import { Buffer } from 'node:buffer';
import type { Enricher } from './line.ts';
import type { Prefix } from './prefix.ts';

export const GAPS_MAX = 8;
/** A gap may be copied to two places; id and time come from elsewhere, and so may the sides. */
export const PARTS_MAX = 2 * GAPS_MAX + 3;

// Of a slot: numbers of 32 bits, counted in fours of bytes from its beginning, …
export const PACKET_HASH = 0;
export const KEY_HASH = 1;
export const DEST_PORT = 2;
/** Which `naming` the JSON is of. */
export const NAMING = 3;
// … small numbers, counted in twos, …
export const TEXT_LENGTH = 8;
export const GAP_COUNT = 9;
/** Which gaps hold these numbers; -1 where the line has none. */
export const LENGTH_GAP = 10;
export const PORT_GAP = 11;
export const ID_GAP = 12;
export const VERSION = 13;
export const PROTOCOL = 14;
/** 0 before the JSON was written, -1 where it cannot be made so. */
export const JSON_LENGTH = 15;
export const PART_COUNT = 16;
/** Of each gap its beginning and its end in the text. */
export const GAPS = 17;
/** What the walk found, as `PLACES` of `KnownPacket`. */
export const MARKS = GAPS + 2 * GAPS_MAX;
const MARKS_MAX = 13;
// … and the line's bytes; …
export const TEXT = 2 * (MARKS + MARKS_MAX);
export const TEXT_BYTES_MAX = 384;
// … and behind all that a line is compared with, what its JSON is made of:
/** of each part that is another one for each line its beginning, its end, and what stands there; … */
export const PARTS = (TEXT + TEXT_BYTES_MAX) / 2;
/** … and its bytes. */
export const JSON_TEXT = 2 * (PARTS + 3 * PARTS_MAX);
/** An odd number of cache lines, so that slots do not compete for the same places of a cache. */
export const SLOT_BYTES = 29 * 64;
export const SLOT_INTS = SLOT_BYTES / 4;
export const SLOT_SHORTS = SLOT_BYTES / 2;
export const JSON_BYTES_MAX = SLOT_BYTES - JSON_TEXT;
const WORD_BYTES = 8;

/**
 * The memory of remembered packets: one slot for each, and all of a slot in one place. The last few hundred packets do
 * not stay in the processor's first cache, so what a line costs is how many places of memory it has to see. What was
 * not used yet takes no memory.
 */
export class PacketSlab {
  readonly ints: Int32Array;
  readonly shorts: Int16Array;
  readonly bytes: Buffer;
  readonly view: DataView;
  /** The JSON of each slot that has one. */
  readonly jsons: Uint8Array[] = [];
  readonly prefixes: Prefix[] = [];
  /** As in `Kin`. */
  readonly known: unknown[] = [];
  #enricher: Enricher | undefined;
  #networksVersion: unknown;
  #naming = 0;

  constructor(slots: number) {
    // JSON is read in words, also behind its end.
    const memory = new ArrayBuffer(slots * SLOT_BYTES + WORD_BYTES);
    this.ints = new Int32Array(memory);
    this.shorts = new Int16Array(memory);
    this.bytes = Buffer.from(memory);
    this.view = new DataView(memory);
  }

  /** A number for how `enricher` names sides now; JSON with another one is out of date. */
  naming(enricher: Enricher): number {
    if (enricher !== this.#enricher || enricher.networksVersion !== this.#networksVersion) {
      this.#enricher = enricher;
      this.#networksVersion = enricher.networksVersion;
      this.#naming = (this.#naming + 1) | 0;
    }
    return this.#naming;
  }
}
