/** The type of a JSON value, as its first byte tells it; a number, for it is looked up for every value. */
export const JSON_TYPES = { null: 0, string: 1, number: 2, object: 3, array: 4, boolean: 5 } as const;

/**
 * The known members of one kind of JSON object: finds a member by the bytes of its key, without decoding it.
 * `slot` is where the first member's span stands among all spans of a line; the others follow in order.
 *
 * Lines of one writer have their members in one order, so each member remembers which one came after it last,
 * and that one is tried first. This is a guess about speed alone: what is found does not depend on it.
 */
export class JsonFields {
  readonly names: readonly string[];
  readonly types: Uint8Array;
  readonly slot: number;
  /** Each key as it is usually written: with its quotes and colon. */
  readonly #keys: readonly Uint8Array[];
  /** The beginnings of the keys, in whole words of four bytes. */
  readonly #words: readonly Int32Array[];
  /** By member plus 1, which member came after it; place 0 has the first one of the object. */
  readonly #followers: Uint8Array;

  constructor(slot: number, fields: Readonly<Record<string, keyof typeof JSON_TYPES>>) {
    this.slot = slot;
    this.names = Object.keys(fields);
    this.types = Uint8Array.from(Object.values(fields), (type) => JSON_TYPES[type]);
    this.#keys = this.names.map((name) => new TextEncoder().encode(`"${name}":`));
    this.#words = this.#keys.map(wordsOf);
    this.#followers = Uint8Array.from([...this.names.keys(), 0]);
  }

  /** The member that is likely to come after `previous` (-1: the first one). */
  likely(previous: number): number {
    return this.#followers[previous + 1]!;
  }

  /** Where the value begins if the member's key and colon stand at `at`, before `end`; or 0. */
  match(index: number, view: DataView, at: number, end: number): number {
    const key = this.#keys[index]!;
    const words = this.#words[index]!;
    const after = at + key.length;
    if (after > end) return 0;
    let k = 0;
    for (let w = 0; w < words.length; w++, k += 4) if (view.getInt32(at + k, true) !== words[w]) return 0;
    for (; k < key.length; k++) if (view.getUint8(at + k) !== key[k]) return 0;
    return after;
  }

  /** @param previous the member before it, or -1 @returns the member whose key is `bytes[start, end)`, or -1 */
  find(previous: number, bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    for (let index = 0; index < this.#keys.length; index++) {
      const key = this.#keys[index]!;
      if (key.length !== length + 3) continue;
      let k = 0;
      while (k < length && bytes[start + k] === key[k + 1]) k++;
      if (k < length) continue;
      this.#followers[previous + 1] = index;
      return index;
    }
    return -1;
  }
}

function wordsOf(key: Uint8Array): Int32Array {
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  return Int32Array.from({ length: key.length >> 2 }, (_, word) => view.getInt32(4 * word, true));
}
