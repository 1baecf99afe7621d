/**
 * MurmurHash3, the 128-bit variant for 32-bit machines (Austin Appleby, public domain), without a seed of its
 * own but with a state to start from. Not for anything that an adversary must not forge; fast and well mixed.
 */

import { viewOf } from '../../parsers/byte-view.ts';

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

/** Four 32-bit words. */
export type HashState = Int32Array;

export function hashState(): HashState {
  return new Int32Array(4);
}

/** Hashes `bytes[start, end)`, beginning from what `state` holds, and leaves the result there. */
export function hash(state: HashState, bytes: Uint8Array, start: number, end: number): void {
  let h1 = state[0]!;
  let h2 = state[1]!;
  let h3 = state[2]!;
  let h4 = state[3]!;
  const length = end - start;
  const words = viewOf(bytes);
  let i = start;
  for (; i + 16 <= end; i += 16) {
    let k1 = words.getInt32(i, true);
    let k2 = words.getInt32(i + 4, true);
    let k3 = words.getInt32(i + 8, true);
    let k4 = words.getInt32(i + 12, true);

    k1 = Math.imul(k1, C1);
    k1 = (k1 << 15) | (k1 >>> 17);
    h1 ^= Math.imul(k1, C2);
    h1 = (h1 << 19) | (h1 >>> 13);
    h1 = (Math.imul(h1 + h2, 5) + 0x561ccd1b) | 0;

    k2 = Math.imul(k2, C2);
    k2 = (k2 << 16) | (k2 >>> 16);
    h2 ^= Math.imul(k2, C3);
    h2 = (h2 << 17) | (h2 >>> 15);
    h2 = (Math.imul(h2 + h3, 5) + 0x0bcaa747) | 0;

    k3 = Math.imul(k3, C3);
    k3 = (k3 << 17) | (k3 >>> 15);
    h3 ^= Math.imul(k3, C4);
    h3 = (h3 << 15) | (h3 >>> 17);
    h3 = (Math.imul(h3 + h4, 5) + 0x96cd1c35) | 0;

    k4 = Math.imul(k4, C4);
    k4 = (k4 << 18) | (k4 >>> 14);
    h4 ^= Math.imul(k4, C1);
    h4 = (h4 << 13) | (h4 >>> 19);
    h4 = (Math.imul(h4 + h1, 5) + 0x32ac3b17) | 0;
  }

  let k1 = 0;
  let k2 = 0;
  let k3 = 0;
  let k4 = 0;
  for (let shift = 0; i < end; i++, shift += 8) {
    const byte = bytes[i]! << (shift & 31);
    if (shift < 32) k1 |= byte;
    else if (shift < 64) k2 |= byte;
    else if (shift < 96) k3 |= byte;
    else k4 |= byte;
  }
  if (k4 !== 0) {
    k4 = Math.imul(k4, C4);
    h4 ^= Math.imul((k4 << 18) | (k4 >>> 14), C1);
  }
  if (k3 !== 0) {
    k3 = Math.imul(k3, C3);
    h3 ^= Math.imul((k3 << 17) | (k3 >>> 15), C4);
  }
  if (k2 !== 0) {
    k2 = Math.imul(k2, C2);
    h2 ^= Math.imul((k2 << 16) | (k2 >>> 16), C3);
  }
  if (k1 !== 0) {
    k1 = Math.imul(k1, C1);
    h1 ^= Math.imul((k1 << 15) | (k1 >>> 17), C2);
  }

  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = mix(h1);
  h2 = mix(h2);
  h3 = mix(h3);
  h4 = mix(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  state[0] = h1;
  state[1] = (h2 + h1) | 0;
  state[2] = (h3 + h1) | 0;
  state[3] = (h4 + h1) | 0;
}

function mix(word: number): number {
  let h = word;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const hex = Buffer.alloc(32);
const hexView = new DataView(hex.buffer, hex.byteOffset, hex.length);

/** The state as 32 hexadecimal digits in ASCII, each word's most significant first; the same memory each time. */
export function hexOf(state: HashState): Buffer {
  for (let word = 0; word < 4; word++) {
    hexView.setInt32(8 * word, fourDigits(state[word]! >>> 16));
    hexView.setInt32(8 * word + 4, fourDigits(state[word]! & 0xffff));
  }
  return hex;
}

/** The hexadecimal digits of 16 bits, in four bytes. */
function fourDigits(value: number): number {
  // One digit in each byte.
  const bytes = ((value & 0xff00) << 8) | (value & 0xff);
  const digits = ((bytes & 0xf000f0) << 4) | (bytes & 0x0f000f);
  // From 10 on they are letters.
  const letters = ((digits + 0x06060606) >> 4) & 0x01010101;
  return digits + 0x30303030 + letters * 0x27;
}
