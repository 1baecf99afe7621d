/**
 * Looks for a text in a single line, by Horspool's method: from the last byte of where the text might stand it goes on as
 * far as that byte allows. For so few bytes that is quicker than any call of a native search.
 */
export class SkippingSearch {
  readonly #text: Buffer;
  /** How far to go on from each byte. */
  readonly #skips: Uint16Array;

  /** @param text ASCII, not empty */
  constructor(text: string) {
    this.#text = Buffer.from(text, 'latin1');
    const last = text.length - 1;
    this.#skips = new Uint16Array(256).fill(text.length);
    for (let i = 0; i < last; i++) this.#skips[this.#text[i]!] = last - i;
  }

  /** Whether the text stands in `bytes[start, end)`. */
  isIn(bytes: Uint8Array, start: number, end: number): boolean {
    const text = this.#text;
    const last = text.length - 1;
    for (let at = start + last; at < end; at += this.#skips[bytes[at]!]!) {
      let same = 0;
      while (same <= last && bytes[at - same] === text[last - same]) same++;
      if (same > last) return true;
    }
    return false;
  }
}
