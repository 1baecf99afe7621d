/** First byte of a JSON value, which is all that tells its type. */
export type JsonType = 'string' | 'number' | 'object' | 'array' | 'boolean';

/**
 * The known members of one JSON object: finds a member by the bytes of its key, without decoding it.
 * `slot` is where the first member's span stands among all spans of a line; the others follow in order.
 */
export class JsonFields {
  readonly names: readonly string[];
  readonly types: readonly JsonType[];
  readonly slot: number;
  readonly #keys: readonly Buffer[];
  /** By length, first, middle and last byte of the key: the one member that it can be, plus 1. */
  readonly #byHash = new Uint8Array(HASH_SIZE);
  readonly #factor: number;

  constructor(slot: number, fields: Readonly<Record<string, JsonType>>) {
    this.slot = slot;
    this.names = Object.keys(fields);
    this.types = Object.values(fields);
    this.#keys = this.names.map((name) => Buffer.from(name));
    this.#factor = this.#fill();
  }

  /** @returns the member whose key is `bytes[start, end)`, or -1 */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0) return -1;
    const index = this.#byHash[hash(bytes, start, end, this.#factor)]! - 1;
    if (index < 0) return -1;
    const key = this.#keys[index]!;
    if (key.length !== length) return -1;
    for (let k = 0; k < length; k++) if (bytes[start + k] !== key[k]) return -1;
    return index;
  }

  /** Looks for a factor under which no two members share a place. */
  #fill(): number {
    for (let factor = 1; factor < HASH_SIZE; factor++) {
      this.#byHash.fill(0);
      const free = this.#keys.every((key, index) => {
        const place = hash(key, 0, key.length, factor);
        if (this.#byHash[place] !== 0) return false;
        this.#byHash[place] = index + 1;
        return true;
      });
      if (free) return factor;
    }
    throw new Error(`no perfect hash for ${this.names.join(', ')}: give the table more places`);
  }
}

const HASH_SIZE = 128;

function hash(bytes: Uint8Array, start: number, end: number, factor: number): number {
  const letters = bytes[start]! * 3 + bytes[(start + end) >> 1]! * 5 + bytes[end - 1]! * 7;
  return ((end - start) * factor + letters) & (HASH_SIZE - 1);
}
