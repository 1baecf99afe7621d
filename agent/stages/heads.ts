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

/** What the record of an open window begins with, as UTF-8: all but what merging changes and the closing brace. */
export class Head {
  readonly #slab: Slab;
  readonly start: number;
  readonly end: number;

  constructor(slab: Slab, start: number, end: number) {
    this.#slab = slab;
    this.start = start;
    this.end = end;
  }

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

  /** Lets its memory be used again; to be called once. */
  release(): void {
    this.#slab.heads -= 1;
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
  #slab = newSlab(0);
  /** Where the next head begins. */
  #at = 0;
  /** Slabs that are full, or were. */
  #others: Slab[] = [];

  /** The head of the window that a line opens, from its bytes. */
  ofLine(line: FlowLine, id: string, enricher: Enricher): Head {
    if (this.#slab.heads === 0) this.#at = 0;
    let end = line.writeOpening!(id, this.#slab.bytes, this.#at, enricher);
    for (let room = ROOM_BYTES; end < 0; room *= 2) {
      this.#makeRoom(room);
      end = line.writeOpening!(id, this.#slab.bytes, this.#at, enricher);
    }
    return this.#keep(end);
  }

  /** @param json a head as text */
  ofText(json: string): Head {
    const length = Buffer.byteLength(json);
    if (this.#slab.heads === 0) this.#at = 0;
    if (this.#at + length > this.#slab.bytes.length) this.#makeRoom(length);
    return this.#keep(this.#at + this.#slab.bytes.write(json, this.#at));
  }

  #keep(end: number): Head {
    const head = new Head(this.#slab, this.#at, end);
    this.#slab.heads += 1;
    this.#at = end;
    return head;
  }

  #makeRoom(bytes: number): void {
    const all = [...this.#others, this.#slab];
    const free = all.filter(({ heads }) => heads === 0);
    this.#slab = free.find((slab) => slab.bytes.length >= bytes) ?? newSlab(Math.max(bytes, SLAB_BYTES));
    const spare = free.filter((slab) => slab !== this.#slab).slice(0, SPARE_MAX);
    this.#others = [...all.filter(({ heads }) => heads > 0), ...spare];
    this.#at = 0;
  }
}

function newSlab(length: number): Slab {
  const memory = new ArrayBuffer(length + WORD_BYTES);
  return { bytes: Buffer.from(memory, 0, length), view: new DataView(memory), heads: 0 };
}
