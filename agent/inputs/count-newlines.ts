const NEWLINES = 0x0a0a0a0a;
const LOW = 0x7f7f7f7f;

/**
 * How many newlines stand in `bytes[start, end)`. Four bytes at a time: a byte that is a newline becomes 1,
 * any other 0, and the ones are added up in four counters within one word.
 */
export function countNewlines(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  let at = start;
  while (at < end && ((bytes.byteOffset + at) & 3) !== 0) if (bytes[at++] === 10) count++;
  const words = (end - at) >> 2;
  const view = wordsOf(bytes);
  let word = (bytes.byteOffset + at) >> 2;
  const last = word + words;
  while (word < last) {
    const stop = Math.min(last, word + 255);
    let sums = 0;
    for (; word < stop; word++) {
      const x = view[word]! ^ NEWLINES;
      sums += (~(((x & LOW) + LOW) | x | LOW) >>> 7) | 0;
    }
    count += (sums & 255) + ((sums >>> 8) & 255) + ((sums >>> 16) & 255) + (sums >>> 24);
  }
  at += words * 4;
  while (at < end) if (bytes[at++] === 10) count++;
  return count;
}

let viewed: ArrayBufferLike | undefined;
let words: Int32Array = new Int32Array(0);

/** The buffer's memory as words; readers use one buffer again and again, so the last view is kept. */
function wordsOf(bytes: Buffer): Int32Array {
  if (bytes.buffer !== viewed) {
    viewed = bytes.buffer;
    words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
  }
  return words;
}
