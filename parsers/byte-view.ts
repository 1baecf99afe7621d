const NO_BYTES = new Uint8Array(0);
let last: Uint8Array = NO_BYTES;
let lastView: DataView = new DataView(NO_BYTES.buffer);

/**
 * A view that reads `bytes` in words, at any place. The last one made is kept, for it costs as much as reading
 * a line, and a chunk has many lines.
 */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== last) {
    last = bytes;
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  return lastView;
}

const WORD_BYTES = 8;

/**
 * Whether so many bytes are the same in both, a word at a time. One of them must have no NUL: then words that are
 * equal as numbers are equal as bytes. The reverse does not hold for every byte that is no text.
 */
export function sameText(a: DataView, aStart: number, b: DataView, bStart: number, length: number): boolean {
  const last = length - WORD_BYTES;
  if (last < 0) {
    for (let i = 0; i < length; i++) if (a.getUint8(aStart + i) !== b.getUint8(bStart + i)) return false;
    return true;
  }
  for (let i = 0; i < last; i += WORD_BYTES) {
    if (a.getFloat64(aStart + i, true) !== b.getFloat64(bStart + i, true)) return false;
  }
  // The last word is looked at whole, also where a part of it was seen already.
  return a.getFloat64(aStart + last, true) === b.getFloat64(bStart + last, true);
}
