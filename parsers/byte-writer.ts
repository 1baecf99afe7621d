import { Buffer } from 'node:buffer';

/** Bytes that are written often. */
export interface Piece {
  readonly words: Int32Array;
  readonly length: number;
}

export function pieceOf(text: string): Piece {
  const bytes = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 4) * 4);
  const length = bytes.write(text);
  const words = new Int32Array(bytes.length / 4);
  for (let i = 0; i < words.length; i++) words[i] = bytes.readInt32LE(4 * i);
  return { words, length };
}

/** A JSON key with all that stands around it, as `,"ttl":`. */
export function keyPiece(name: string): Piece {
  return pieceOf(`,"${name}":`);
}

/**
 * Writes JSON into a buffer, piece by piece. Pieces are short, and a loop copies those faster than a call into
 * the runtime does. Checks no bounds: whoever opens it sees to it that there is room, with four bytes to spare.
 */
export class ByteWriter {
  out: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  at = 0;

  /** Begins to write into `out` at `at`. */
  open(out: Buffer, at: number): void {
    if (out !== this.out) {
      this.out = out;
      this.view = new DataView(out.buffer, out.byteOffset, out.length);
    }
    this.at = at;
  }

  /** A constant piece, in words of four bytes; what it writes too much is written over by the next. */
  piece({ words, length }: Piece): void {
    const { view, at } = this;
    for (let i = 0, to = at; i < words.length; i++, to += 4) view.setInt32(to, words[i]!, true);
    this.at = at + length;
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

  /** Makes an object of the members that were written from `at` on, each with a comma before it; `}` is due. */
  openAt(at: number): void {
    if (this.at > at) this.out[at] = 0x7b;
    else this.byte(0x7b);
  }

  /** A string in quotes, escaped. */
  string(text: string): void {
    this.at += this.out.write(JSON.stringify(text), this.at);
  }
}
