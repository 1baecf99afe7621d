import { Buffer } from 'node:buffer';
import { formatRfc3339 } from './time.ts';

const WORD_BYTES = 8;
const MINUTE_US = 60e6;
const POINT = 0x2e;
const UPPER_Z = 0x5a;

/** Text that is written often, in words of eight bytes: numbers that stand for bytes alone. */
export interface Piece {
  readonly words: Float64Array;
  readonly length: number;
}

/**
 * A piece of UTF-8. It never makes a NaN, whose bits a word might lose: there is no byte 0xFF in it, and no 0x7F
 * behind one of 0xF0 or more.
 */
export function pieceOf(text: string | Uint8Array): Piece {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.alloc(Math.ceil(length / WORD_BYTES) * WORD_BYTES);
  if (typeof text === 'string') bytes.write(text);
  else bytes.set(text);
  const words = Float64Array.from({ length: bytes.length / WORD_BYTES }, (_, word) =>
    bytes.readDoubleLE(WORD_BYTES * word),
  );
  return { words, length };
}

/** A JSON key with all that stands around it, as `,"ttl":`. */
export function keyPiece(name: string): Piece {
  return pieceOf(`,"${name}":`);
}

/** Something that was put into JSON. */
export interface Copy {
  /** Where it stands in the line; below 0 for what stands in none. */
  readonly start: number;
  readonly json: { readonly start: number; readonly end: number };
}

/**
 * Writes JSON into a buffer, piece by piece. Pieces are short, and a loop copies those faster than a call into
 * the runtime does. Checks no bounds: whoever opens it sees to it that there is room, with eight bytes to spare.
 */
export class ByteWriter {
  out: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  at = 0;
  /** The notes, where they are wanted. */
  copies: Copy[] | undefined;
  /** The minutes of the times that were written last, and what these begin with: times come from either side of a turn. */
  readonly #minutes = [Number.NaN, Number.NaN];
  readonly #minuteTexts = [pieceOf(''), pieceOf('')];

  /** Begins to write into `out` at `at`. */
  open(out: Buffer, at: number): void {
    if (out !== this.out) {
      this.out = out;
      this.view = new DataView(out.buffer, out.byteOffset, out.length);
    }
    this.at = at;
  }

  /** A constant piece; what it writes too much is written over by the next. */
  piece({ words, length }: Piece): void {
    const { view, at } = this;
    for (let i = 0, to = at; i < words.length; i++, to += WORD_BYTES) view.setFloat64(to, words[i]!, true);
    this.at = at + length;
  }

  /** Takes a note of what was put in since `jsonStart`, which stands at `start` in the line, where notes are wanted. */
  note(start: number, jsonStart: number): void {
    if (this.copies !== undefined) this.copies.push({ start, json: { start: jsonStart, end: this.at } });
  }

  /** Copies from a buffer that has a word more than what is copied. */
  words(from: DataView, start: number, end: number): void {
    const { view, at } = this;
    for (let i = start, to = at; i < end; i += WORD_BYTES, to += WORD_BYTES) {
      view.setFloat64(to, from.getFloat64(i, true), true);
    }
    this.at = at + end - start;
  }

  /** Copies text, reading no further than its end. */
  copy(from: DataView, start: number, end: number): void {
    const { view, at } = this;
    const last = end - WORD_BYTES;
    if (last < start) {
      for (let i = start, to = at; i < end; i++, to++) view.setUint8(to, from.getUint8(i));
    } else {
      for (let i = start, to = at; i < last; i += WORD_BYTES, to += WORD_BYTES) {
        view.setFloat64(to, from.getFloat64(i, true), true);
      }
      view.setFloat64(at + last - start, from.getFloat64(last, true), true);
    }
    this.at = at + end - start;
  }

  range(from: Uint8Array, start: number, end: number): void {
    const { out } = this;
    let to = this.at;
    for (let i = start; i < end; i++) out[to++] = from[i]!;
    this.at = to;
  }

  /** ASCII that needs no escapes. */
  ascii(text: string): void {
    const { out } = this;
    let to = this.at;
    for (let i = 0; i < text.length; i++) out[to++] = text.charCodeAt(i);
    this.at = to;
  }

  byte(value: number): void {
    this.out[this.at++] = value;
  }

  /** A whole number, not negative. */
  number(value: number): void {
    if (value > 0x7fffffff) {
      this.ascii(String(value));
      return;
    }
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    this.digits(value, digits);
  }

  /** The last `count` digits of a whole number below 2³¹, with leading zeros. */
  digits(value: number, count: number): void {
    const { out } = this;
    let rest = value | 0;
    for (let to = this.at + count - 1; to >= this.at; to--) {
      const tenth = (rest / 10) | 0;
      out[to] = 0x30 + rest - tenth * 10;
      rest = tenth;
    }
    this.at += count;
  }

  /** A time as `formatRfc3339` has it; one in microseconds most often without making a string. */
  time(timeUs: number, digits: number): void {
    if (digits !== 6) {
      this.ascii(formatRfc3339(timeUs, digits));
      return;
    }
    const minute = Math.floor(timeUs / MINUTE_US);
    const place = minute & 1;
    if (minute !== this.#minutes[place]) {
      this.#minutes[place] = minute;
      this.#minuteTexts[place] = pieceOf(formatRfc3339(minute * MINUTE_US, 0).slice(0, -'00Z'.length));
    }
    this.piece(this.#minuteTexts[place]!);
    const us = timeUs - minute * MINUTE_US;
    this.digits(Math.floor(us / 1e6), 2);
    this.byte(POINT);
    this.digits(us, 6);
    this.byte(UPPER_Z);
  }

  /** Makes an object of the members that were written from `at` on, each with a comma before it; `}` is due. */
  openAt(at: number): void {
    if (this.at > at) this.out[at] = 0x7b;
    else this.byte(0x7b);
  }

  /** JSON as it is. */
  text(json: string): void {
    this.at += this.out.write(json, this.at);
  }

  /** A string in quotes, escaped. */
  string(text: string): void {
    this.at += this.out.write(JSON.stringify(text), this.at);
  }
}
