import { Buffer } from 'node:buffer';
import type { Enricher, FlowLine } from '../../parsers/line.ts';

const SLAB_BYTES = 64 << 10;
/** Slabs that are kept although nothing is in them. */
const SPARE_MAX = 8;
/** Whoever copies in words reads so much more than there is. */
const WORD_BYTES = 8;
/** What a head may well need; doubled until it has enough. */
const ROOM_BYTES = 8 << 10;

/** Memory that heads share. */
interface Slab {
  readonly bytes: Buffer;
  /** The same and a word more. */
  readonly view: DataView;
  /** How many are in it that were not let go of. */
  heads: number;
}

function newSlab(length: number): Slab {
  const memory = new ArrayBuffer(length + WORD_BYTES);
  return { bytes: Buffer.from(memory, 0, length), view: new DataView(memory), heads: 0 };
}

const NO_SLAB = newSlab(0);

/**
 * What the record of an open window begins with, as UTF-8: all but what merging changes and the closing brace. Empty
 * until `Heads` writes it, and after it was released.
 */
export class Head {
  #slab: Slab = NO_SLAB;
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Its bytes are at `[start, end)` of this. */
  get view(): DataView {
    return this.#slab.view;
  }

  toString(): string {
    return this.#slab.bytes.toString('utf8', this.start, this.end);
  }

  /** For `Heads`. */
  place(slab: Slab, start: number, end: number): void {
    slab.heads += 1;
    this.#slab = slab;
    this.start = start;
    this.end = end;
  }

  /** Lets its memory be used again. */
  release(): void {
    this.#slab.heads -= 1;
    this.#slab = NO_SLAB;
    this.start = this.end = 0;
  }
}

/**
 * Where the windows of one input have the beginnings of their records.
 *
 * - A head stays as it is until it is released.
 * - Windows close about in the order in which they opened. So heads are written one behind the other, and a slab is
 *   written anew once all that was in it is released: that needs no list of gaps, and no more memory than what was
 *   opened since the oldest open window.
 */
export class Heads {
  #slab: Slab = NO_SLAB;
  /** Where the next head begins. */
  #at = 0;
  /** Slabs that are full, or were. */
  #others: Slab[] = [];

  /** Writes the head of the window that a line opens, from its bytes. */
  ofLine(head: Head, line: FlowLine, id: Buffer, enricher: Enricher): void {
    if (this.#slab.heads === 0) this.#at = 0;
    let end = line.writeOpening!(id, this.#slab.bytes, this.#at, enricher);
    for (let room = ROOM_BYTES; end < 0; room *= 2) {
      this.#makeRoom(room);
      end = line.writeOpening!(id, this.#slab.bytes, this.#at, enricher);
    }
    this.#keep(head, end);
  }

  /** @param json a head as text */
  ofText(head: Head, json: string): void {
    const length = Buffer.byteLength(json);
    if (this.#slab.heads === 0) this.#at = 0;
    if (this.#at + length > this.#slab.bytes.length) this.#makeRoom(length);
    this.#keep(head, this.#at + this.#slab.bytes.write(json, this.#at));
  }

  #keep(head: Head, end: number): void {
    head.place(this.#slab, this.#at, end);
    this.#at = end;
  }

  #makeRoom(bytes: number): void {
    const all = [...this.#others, this.#slab].filter((slab) => slab !== NO_SLAB);
    const free = all.filter(({ heads }) => heads === 0);
    this.#slab = free.find((slab) => slab.bytes.length >= bytes) ?? newSlab(Math.max(bytes, SLAB_BYTES));
    const spare = free.filter((slab) => slab !== this.#slab).slice(0, SPARE_MAX);
    this.#others = [...all.filter(({ heads }) => heads > 0), ...spare];
    this.#at = 0;
  }
}
