import { Buffer } from 'node:buffer';
import { sameText, viewOf } from './byte-view.ts';

/** Texts that are remembered, and their bytes. Lines of one writer need a few dozen. */
const TEXTS_MAX = 256;
const BYTES_MAX = 16 << 10;
/** When a full memory was of no use to so many lines, it forgets: its shapes are those of other times. */
const MISSES_MAX = 4096;

/** In place of a gap's slot: the line ends. */
export const END = -1;

/** A value that may be another one in a line of the same shape. */
export interface Gap {
  /** Which of a line's values it is. */
  readonly slot: number;
  readonly start: number;
  readonly end: number;
}

/** The text before a gap. */
export interface ShapeText<Whole> {
  /** Where it stands in the memory. */
  readonly start: number;
  readonly length: number;
  /** Slot of the gap behind it, or `END`. */
  readonly slot: number;
  /** What may come behind that gap. */
  readonly next: ShapeText<Whole>[];
  /** Of a line's last text: what was noted of the lines that have this shape. */
  readonly whole: Whole | undefined;
}

/**
 * Remembers shapes of lines. A shape is all of a line but some values that vary, the gaps: a path in a tree of the
 * texts between them. So a line in which the texts of a path stand, each behind a value that may be in the gap,
 * is one that was added, but for these values.
 *
 * When it is full it takes no more, until it forgets all. That decides about speed alone.
 */
export class ShapeMemory<Whole> {
  readonly #bytes = Buffer.alloc(BYTES_MAX);
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, BYTES_MAX);
  readonly #first: ShapeText<Whole>[] = [];
  #length = 0;
  #count = 0;
  #misses = 0;

  /** The text that stands at `at`. @param before the text before it; undefined at a line's beginning */
  find(
    before: ShapeText<Whole> | undefined,
    view: DataView,
    at: number,
    end: number,
  ): ShapeText<Whole> | undefined {
    const texts = before === undefined ? this.#first : before.next;
    for (let k = 0; k < texts.length; k++) {
      const text = texts[k]!;
      if (text.length <= end - at && sameText(view, at, this.#view, text.start, text.length)) return text;
    }
    return undefined;
  }

  /**
   * Adds the shape of a line that was not found here.
   * @param bytes the line is `bytes[start, end)`, and has no NUL
   * @param gaps in the line's order
   */
  add(bytes: Buffer, start: number, end: number, gaps: readonly Gap[], whole: Whole): void {
    const view = viewOf(bytes);
    let texts = this.#first;
    let before: ShapeText<Whole> | undefined;
    let at = start;
    for (const gap of [...gaps, { slot: END, start: end, end }]) {
      let text = this.find(before, view, at, gap.start);
      if (text === undefined) {
        if (!this.#hasRoom(gap.start - at)) return;
        text = this.#keep(bytes, at, gap, gap.slot === END ? whole : undefined);
        texts.push(text);
      }
      texts = text.next;
      before = text;
      at = gap.end;
    }
  }

  #hasRoom(length: number): boolean {
    if (this.#count < TEXTS_MAX && this.#length + length <= BYTES_MAX) return true;
    if (++this.#misses === MISSES_MAX) {
      this.#first.length = 0;
      this.#length = this.#count = this.#misses = 0;
    }
    return false;
  }

  #keep(bytes: Buffer, at: number, { slot, start }: Gap, whole: Whole | undefined): ShapeText<Whole> {
    const text = { start: this.#length, length: start - at, slot, next: [], whole };
    this.#length += bytes.copy(this.#bytes, this.#length, at, start);
    this.#count++;
    return text;
  }
}
