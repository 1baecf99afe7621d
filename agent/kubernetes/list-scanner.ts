/** Larger than anything that etcd takes. */
const ITEM_BYTES_MAX = 8 << 20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;

/**
 * Takes a Kubernetes list apart while it arrives: an answer from the watch cache comes in one piece, with as many
 * items as there are, and only one of them is held at a time. What stands around the items is left for `end`.
 */
export class ListScanner {
  readonly #onItem: (item: unknown) => void;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #inItems = false;
  /** The item under way, as far as earlier chunks have it. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  #envelope: Buffer[] = [];

  /** @param onItem given each item, decoded */
  constructor(onItem: (item: unknown) => void) {
    this.#onItem = onItem;
  }

  /** @throws SyntaxError for what is no JSON */
  push(chunk: Buffer): void {
    // Where what is being collected begins: an item, or, outside of the items, the envelope.
    let start = this.#inItems && this.#depth < 3 ? -1 : 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === BRACE_OPEN || byte === BRACKET_OPEN) {
        this.#depth += 1;
        if (this.#inItems && this.#depth === 3) start = i;
        if (byte === BRACKET_OPEN && this.#depth === 2) {
          this.#inItems = true;
          this.#envelope.push(Buffer.from(chunk.subarray(start, i + 1)));
          start = -1;
        }
      } else if (byte === BRACE_CLOSE || byte === BRACKET_CLOSE) {
        this.#depth -= 1;
        if (this.#inItems && this.#depth === 2) {
          this.#item(chunk.subarray(start, i + 1));
          start = -1;
        } else if (this.#inItems && this.#depth === 1) {
          this.#inItems = false;
          start = i;
        }
      }
    }
    if (start < 0) return;
    const rest = Buffer.from(chunk.subarray(start));
    if (!this.#inItems) this.#envelope.push(rest);
    else this.#keep(rest);
  }

  /** What stands around the items. @throws SyntaxError where the list did not come to its end */
  end(): unknown {
    return JSON.parse(Buffer.concat(this.#envelope).toString());
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes > ITEM_BYTES_MAX) throw new SyntaxError('an object of the list is too large');
  }

  #item(last: Buffer): void {
    const item = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#bytes = 0;
    this.#onItem(JSON.parse(item.toString()));
  }
}
