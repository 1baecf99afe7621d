import { Buffer } from 'node:buffer';

/** A JSON key with all that stands around it, as `,"ttl":`. */
export function keyBytes(name: string): Uint8Array {
  return Buffer.from(`,"${name}":`);
}

/**
 * Writes JSON into a buffer, piece by piece. Pieces are short, and a loop copies those faster than a call into
 * the runtime does. Checks no bounds: whoever sets `out` sees to it that there is room.
 */
export class ByteWriter {
  out: Buffer = Buffer.alloc(0);
  at = 0;

  bytes(piece: Uint8Array): void {
    const { out } = this;
    let to = this.at;
    for (let i = 0; i < piece.length; i++) out[to++] = piece[i]!;
    this.at = to;
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
    let rest = value;
    for (let to = this.at + digits - 1; to >= this.at; to--) {
      const tenth = (rest / 10) | 0;
      this.out[to] = 0x30 + rest - tenth * 10;
      rest = tenth;
    }
    this.at += digits;
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
