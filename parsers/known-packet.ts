import { Buffer } from 'node:buffer';
import { sameText } from './byte-view.ts';
import type { ByteWriter, Copy } from './byte-writer.ts';
import type { Enricher, Kin } from './line.ts';
import { isAt, type NetfilterWalk, NUMBERED, readDecimal, tokenEnd } from './netfilter-walk.ts';
import type { Prefix } from './prefix.ts';

const TEXT_BYTES_MAX = 384;
const JSON_BYTES_MAX = 1280;
const GAPS_MAX = 8;
/** A gap may be copied to two places; id and time come from elsewhere, and so may the sides. */
const CUTS_MAX = 2 * GAPS_MAX + 3;
/** The keys of numbers that differ between packets of one connection. */
const VARYING = ['LEN=', 'ID=', 'SPT=', 'SEQ=', 'ACK=', 'FLOWLBL='] as const;
/** The walk's places that stand before any number, in the order in which `place` sets them. */
const PLACES = [
  'packetStart',
  'inEnd',
  'outStart',
  'outEnd',
  'physinStart',
  'physinEnd',
  'physoutStart',
  'physoutEnd',
  'interfacesEnd',
  'srcStart',
  'srcEnd',
  'destStart',
  'destEnd',
] as const satisfies (keyof NetfilterWalk)[];
const GAP_MARKS = PLACES.length;
const MARKS = GAP_MARKS + 2 * GAPS_MAX;
const DIGITS_MAX = 10;
const WORD_BYTES = 8;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const OPENING_BRACKET = 0x5b;
const PORT_MAX = 0xffff;

/** What is put into the JSON beside the numbers of the gaps. */
export const ID = -1;
export const TIME = -2;
export const SIDES = -3;
/** Room that is always enough for `writeJson`, but for the id and the sides where they come from elsewhere. */
export const KNOWN_JSON_BYTES = JSON_BYTES_MAX + 256;

/** Who writes what no gap holds. */
export interface Remainder {
  writeId(): void;
  writeTime(): void;
  /** Only where the enricher has a `sideOf`: else the sides depend on nothing but their addresses. */
  writeSides(): void;
}

/**
 * A packet line that was read, and what it read as. A line that differs from it in nothing but some numbers —
 * lengths, ids, sequence numbers, source port — reads as the same but for these: so it is known by
 * comparing bytes, and its JSON is this one's with the numbers put in.
 *
 * Such a number has up to ten digits and no leading zero, is no more than 65535 as a port and not 0 as a length;
 * any other is not taken for one, for it might read differently. Objects are used again for other lines.
 */
export class KnownPacket implements Kin {
  sample = 0;
  prefix!: Prefix;
  packetHash = 0;
  keyHash = 0;
  known: unknown;

  // All in one place of memory, for the last few hundred packets do not stay in the processor's first cache. A
  // word more than text and JSON, for JSON is copied in words.
  readonly #memory = new ArrayBuffer(2 * MARKS + TEXT_BYTES_MAX + JSON_BYTES_MAX + WORD_BYTES);
  /** What the walk found, as `PLACES`, then the gaps in the text: beginnings and ends. */
  readonly #marks = new Uint16Array(this.#memory, 0, MARKS);
  readonly #bytes = Buffer.from(this.#memory, 2 * MARKS);
  readonly #view = new DataView(this.#memory, 2 * MARKS);
  #textLength = 0;
  #gapCount = 0;
  /** Which gaps hold these numbers; -1 where the line has none. */
  #lengthGap = -1;
  #portGap = -1;
  #idGap = -1;
  /** Of the line that was compared last. */
  readonly #starts = new Int32Array(GAPS_MAX);
  readonly #ends = new Int32Array(GAPS_MAX);
  #length = 0;
  #srcPort = 0;

  #version = 0;
  #protocol = 0;
  #destPort = -1;

  /** Length of the JSON; 0 before it was written, -1 where it cannot be made so. */
  #jsonLength = 0;
  /** Where the JSON is cut to put something in, and what: a gap, `ID`, `TIME` or `SIDES`. */
  readonly #cuts = new Uint16Array(CUTS_MAX);
  readonly #cutGaps = new Int8Array(CUTS_MAX);
  #cutCount = 0;
  /** By whom the sides in the JSON were named. */
  #enricher: Enricher | undefined;
  #networksVersion: unknown;

  /** Whether a line that was read can be kept. Later numbers may stand in brackets, which hold another packet. */
  static canBe({ bytes, prefixStart, packetStart, end, protocol }: NetfilterWalk): boolean {
    if (end - prefixStart > TEXT_BYTES_MAX || bytes[end - 1] !== SPACE || protocol === NUMBERED) return false;
    for (let i = prefixStart; i < end; i++) {
      if (bytes[i] === 0 || (bytes[i] === OPENING_BRACKET && i >= packetStart)) return false;
    }
    return true;
  }

  /** Keeps the line on which `walk` stands. */
  keep(walk: NetfilterWalk, prefix: Prefix, sample: number, packetHash: number, keyHash: number): void {
    const { bytes, prefixStart: start, end } = walk;
    this.sample = sample;
    this.prefix = prefix;
    this.packetHash = packetHash;
    this.keyHash = keyHash;
    this.known = undefined;
    bytes.copy(this.#bytes, 0, start, end);
    this.#textLength = end - start;
    this.#jsonLength = 0;
    // Nothing is at 0 that the line has; what it has not has no length either.
    for (const [k, place] of PLACES.entries()) this.#marks[k] = Math.max(0, walk[place] - start);
    this.#version = walk.version;
    this.#protocol = walk.protocol;
    this.#destPort = walk.destPort;
    // What the walk has as a number must be in a gap; otherwise nothing is kept.
    if (!this.#findGaps(walk)) this.#textLength = this.#gapCount = 0;
  }

  /** Whether `bytes[start, end)` is this line but for numbers; these are noted. */
  fits(bytes: Buffer, view: DataView, start: number, end: number): boolean {
    const count = this.#gapCount;
    const marks = this.#marks;
    let at = start;
    let from = 0;
    for (let gap = 0; gap < count; gap++) {
      const length = marks[GAP_MARKS + 2 * gap]! - from;
      if (at + length >= end || !sameText(view, at, this.#view, from, length)) return false;
      at += length;
      this.#starts[gap] = at;
      at = this.#readNumber(gap, bytes, at, end);
      if (at < 0) return false;
      this.#ends[gap] = at;
      from = marks[GAP_MARKS + 2 * gap + 1]!;
    }
    const rest = this.#textLength - from;
    return at + rest === end && sameText(view, at, this.#view, from, rest);
  }

  /** Sets `walk` as if it had walked the line that was compared last. */
  place(walk: NetfilterWalk, bytes: Buffer, start: number, end: number): void {
    const marks = this.#marks;
    walk.bytes = bytes;
    walk.prefixStart = start;
    walk.end = end;
    walk.packetStart = start + marks[0]!;
    walk.inEnd = start + marks[1]!;
    walk.outStart = start + marks[2]!;
    walk.outEnd = start + marks[3]!;
    walk.physinStart = start + marks[4]!;
    walk.physinEnd = start + marks[5]!;
    walk.physoutStart = start + marks[6]!;
    walk.physoutEnd = start + marks[7]!;
    walk.interfacesEnd = start + marks[8]!;
    walk.srcStart = start + marks[9]!;
    walk.srcEnd = start + marks[10]!;
    walk.destStart = start + marks[11]!;
    walk.destEnd = start + marks[12]!;
    walk.version = this.#version;
    walk.protocol = this.#protocol;
    walk.protocolNumber = 0;
    walk.destPort = this.#destPort;
    walk.length = this.#lengthGap < 0 ? 0 : this.#length;
    walk.lengthStart = this.#lengthGap < 0 ? 0 : this.#starts[this.#lengthGap]!;
    walk.srcPort = this.#portGap < 0 ? -1 : this.#srcPort;
    walk.srcPortStart = this.#portGap < 0 ? 0 : this.#starts[this.#portGap]!;
    walk.idStart = this.#idGap < 0 ? 0 : this.#starts[this.#idGap]!;
  }

  /** Whether JSON is kept that `enricher` would enrich in the same way. */
  hasJson(enricher: Enricher): boolean {
    return this.#jsonLength > 0 && this.#isOf(enricher);
  }

  /** Whether the line's JSON is still to be kept. */
  wantsJson(enricher: Enricher): boolean {
    return this.#jsonLength === 0 || !this.#isOf(enricher);
  }

  #isOf(enricher: Enricher): boolean {
    return this.#enricher === enricher && this.#networksVersion === enricher.networksVersion;
  }

  /**
   * Keeps the JSON of the line that was compared last, as `enricher` has it.
   * @param json `out[start, end)`
   * @param copies what was put into it, in order: numbers of the line, `ID`, `TIME`, and perhaps `SIDES`
   */
  keepJson(out: Buffer, start: number, end: number, copies: readonly Copy[], enricher: Enricher): void {
    this.#jsonLength = -1;
    this.#enricher = enricher;
    this.#networksVersion = enricher.networksVersion;
    if (end - start > JSON_BYTES_MAX || copies.length > CUTS_MAX) return;
    const copied = new Set<number>();
    const due = this.#gapCount + (enricher.sideOf === undefined ? 2 : 3);
    let to = TEXT_BYTES_MAX;
    let from = start;
    let cut = 0;
    for (const copy of copies) {
      const gap = copy.start < 0 ? copy.start : this.#starts.subarray(0, this.#gapCount).indexOf(copy.start);
      if (gap < 0 && copy.start >= 0) continue;
      to += out.copy(this.#bytes, to, from, copy.json.start);
      from = copy.json.end;
      this.#cuts[cut] = to;
      this.#cutGaps[cut++] = gap;
      copied.add(gap);
    }
    to += out.copy(this.#bytes, to, from, end);
    // Every number of the line must be in its JSON, and be put there.
    if (copied.size !== due) return;
    this.#cutCount = cut;
    this.#jsonLength = to - TEXT_BYTES_MAX;
  }

  /** Writes the JSON of the line that was compared last, where it is kept. */
  writeJson(json: ByteWriter, bytes: Buffer, rest: Remainder): void {
    let from = TEXT_BYTES_MAX;
    for (let cut = 0; cut < this.#cutCount; cut++) {
      const to = this.#cuts[cut]!;
      json.words(this.#view, from, to);
      from = to;
      const gap = this.#cutGaps[cut]!;
      if (gap >= 0) json.range(bytes, this.#starts[gap]!, this.#ends[gap]!);
      else if (gap === ID) rest.writeId();
      else if (gap === TIME) rest.writeTime();
      else rest.writeSides();
    }
    json.words(this.#view, from, TEXT_BYTES_MAX + this.#jsonLength);
  }

  /** Looks behind the addresses for numbers that vary. @returns whether those that the walk has are among them */
  #findGaps(walk: NetfilterWalk): boolean {
    const { bytes, prefixStart, end } = walk;
    let gap = 0;
    this.#lengthGap = this.#portGap = this.#idGap = -1;
    for (let at = walk.destEnd + 1; at < end && gap < GAPS_MAX; at = tokenEnd(bytes, at, end) + 1) {
      const key = VARYING.find((one) => isAt(bytes, at, one));
      if (key === undefined) continue;
      const start = at + key.length;
      if (start === walk.srcPortStart) this.#portGap = gap;
      else if (start === walk.lengthStart) this.#lengthGap = gap;
      else if (start === walk.idStart) this.#idGap = gap;
      const numberEnd = this.#readNumber(gap, bytes, start, end);
      if (bytes[numberEnd] !== SPACE) continue;
      this.#marks[GAP_MARKS + 2 * gap] = start - prefixStart;
      this.#marks[GAP_MARKS + 2 * gap + 1] = numberEnd - prefixStart;
      gap++;
    }
    this.#gapCount = gap;
    const noted = Number(this.#lengthGap >= 0) + Number(this.#portGap >= 0) + Number(this.#idGap >= 0);
    const known = Number(walk.length > 0) + Number(walk.srcPort >= 0) + Number(walk.idStart > 0);
    return noted === known && Math.max(this.#lengthGap, this.#portGap, this.#idGap) < gap;
  }

  /** @returns where the number at `from` ends, or -1 where none stands there that may be another */
  #readNumber(gap: number, bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
    const digits = at - from;
    if (digits === 0 || digits > DIGITS_MAX || (digits > 1 && bytes[from] === ZERO)) return -1;
    if (gap === this.#lengthGap) {
      this.#length = readDecimal(bytes, from, at);
      if (this.#length === 0) return -1;
    } else if (gap === this.#portGap) {
      this.#srcPort = readDecimal(bytes, from, at);
      if (this.#srcPort > PORT_MAX) return -1;
    }
    return at;
  }
}
