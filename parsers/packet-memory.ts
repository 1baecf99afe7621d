import type { Buffer } from 'node:buffer';
import { viewOf } from './byte-view.ts';
import { KnownPacket } from './known-packet.ts';
import type { NetfilterWalk } from './netfilter-walk.ts';
import { PacketSlab } from './packet-slab.ts';
import type { Prefix } from './prefix.ts';

/**
 * Packets that are remembered: 2,048, of 2 KB each. With half as many ways, of as many packets that come again and again
 * a quarter had no room, for some sets have twice as many as others.
 */
const WAYS = 8;
const SETS = 256;
/** Bytes that choose the set: what differs most, the addresses, stands at the sample's end. */
const SAMPLE_BYTES = 64;
const CLASSES = 16;

/**
 * Remembers packet lines, for most packets of a node are of the same connections again: see `KnownPacket`. It
 * forgets a line when others need its place, and decides about speed alone.
 *
 * A line is looked for by the bytes before the end of its destination, which `find` does not know yet: it takes
 * the place that lines of about the same length had in common so far.
 */
export class PacketMemory {
  readonly slab = new PacketSlab(WAYS * SETS);
  /** Of each way its packet's sample, and one more than its slot: slots are given in order of need, 0 is none. */
  readonly #samples = new Int32Array(WAYS * SETS);
  readonly #slots = new Uint16Array(WAYS * SETS);
  #slotCount = 0;
  /** Which of a set's packets is written over next. */
  readonly #turns = new Uint8Array(SETS);
  /** By the line's length. */
  readonly #sampleEnds = new Uint16Array(CLASSES);

  /** Whether `bytes[start, end)` repeats a packet but for its numbers; then `known` stands on that, and has these. */
  find(known: KnownPacket, bytes: Buffer, start: number, end: number): boolean {
    const sampleEnd = this.#sampleEnds[classOf(end - start)]!;
    if (sampleEnd === 0 || sampleEnd > end - start) return false;
    const view = viewOf(bytes);
    const sample = sampleOf(view, start, sampleEnd);
    const first = (sample & (SETS - 1)) * WAYS;
    for (let way = first; way < first + WAYS; way++) {
      if (this.#samples[way] !== sample) continue;
      const slot = this.#slots[way]! - 1;
      if (slot >= 0 && known.fits(slot, bytes, view, start, end)) return true;
    }
    return false;
  }

  /**
   * Remembers the line on which `walk` stands.
   * @param packetHash of the packet, @param keyHash of its key
   * @returns whether `known` stands on it now, as if it had been found
   */
  add(known: KnownPacket, walk: NetfilterWalk, prefix: Prefix, packetHash: number, keyHash: number): boolean {
    const { bytes, prefixStart, destEnd, end } = walk;
    if (!KnownPacket.canBe(walk)) return false;
    const length = classOf(end - prefixStart);
    const common = this.#sampleEnds[length]!;
    const own = destEnd - prefixStart;
    if (common === 0 || own < common) this.#sampleEnds[length] = own;
    const sample = sampleOf(viewOf(bytes), prefixStart, this.#sampleEnds[length]!);
    const set = sample & (SETS - 1);
    const turn = this.#turns[set]!;
    this.#turns[set] = (turn + 1) % WAYS;
    const way = set * WAYS + turn;
    this.#slots[way] ||= ++this.#slotCount;
    this.#samples[way] = sample;
    return known.keep(this.#slots[way]! - 1, walk, prefix, packetHash, keyHash);
  }
}

function classOf(lineBytes: number): number {
  return Math.min(lineBytes >> 5, CLASSES - 1);
}

/** A hash of the sample; its words are multiplied side by side, for one after the other each waits for the last. */
function sampleOf(view: DataView, start: number, length: number): number {
  const end = start + length;
  let even = length;
  let odd = 0;
  let factor = 0x9e3779b1;
  for (let at = Math.max(start, end - SAMPLE_BYTES); at + 8 <= end; at += 8) {
    even = (even + Math.imul(view.getInt32(at, true), factor)) | 0;
    odd = (odd + Math.imul(view.getInt32(at + 4, true), factor)) | 0;
    factor = Math.imul(factor, 0x85ebca6b);
  }
  const hash = even ^ (odd >>> 16) ^ (odd << 11);
  return Math.imul(hash ^ (hash >>> 15), 0x9e3779b1);
}
