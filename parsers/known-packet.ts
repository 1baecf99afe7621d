import type { Buffer } from 'node:buffer';
import { sameText } from './byte-view.ts';
import type { ByteWriter, Copy } from './byte-writer.ts';
import type { Enricher, Kin } from './line.ts';
import { isAt, type NetfilterWalk, NUMBERED, tokenEnd } from './netfilter-walk.ts';
import {
  DEST_PORT,
  GAP_COUNT,
  GAPS,
  GAPS_MAX,
  ID_GAP,
  JSON_BYTES_MAX,
  JSON_LENGTH,
  JSON_TEXT,
  KEY_HASH,
  LENGTH_GAP,
  MARKS,
  NAMING,
  PACKET_HASH,
  PART_COUNT,
  PARTS,
  PARTS_MAX,
  type PacketSlab,
  PORT_GAP,
  PROTOCOL,
  SLOT_BYTES,
  SLOT_INTS,
  SLOT_SHORTS,
  TEXT,
  TEXT_BYTES_MAX,
  TEXT_LENGTH,
  VERSION,
} from './packet-slab.ts';
import type { Prefix } from './prefix.ts';

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
const DIGITS_MAX = 10;
/** So many digits of a length and of a port that it may be: more are not taken for one. */
const LENGTH_DIGITS_MAX = 9;
const PORT_DIGITS_MAX = 5;
const SPACE = 0x20;
const ZERO = 0x30;
const OPENING_BRACKET = 0x5b;
const PORT_MAX = 0xffff;

/** What is put into the JSON beside the numbers of the gaps. */
export const ID = -1;
export const TIME = -2;
export const SIDES = -3;
/** Room that is always enough for `writeJson`, but for the id and the sides where they come from elsewhere. */
export const KNOWN_JSON_BYTES = JSON_BYTES_MAX + 256;

/** Who writes what no gap holds; `writeSides` alone may write over what follows. */
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
 * any other is not taken for one, for it might read differently. One object stands on one slot of the slab after
 * the other, and holds the numbers of the line that was compared last.
 */
export class KnownPacket implements Kin {
  readonly #slab: PacketSlab;
  readonly #ints: Int32Array;
  readonly #shorts: Int16Array;
  readonly #view: DataView;
  #slot = 0;
  /** Of the line that was compared last, the numbers in the gaps. */
  readonly #starts = new Int32Array(GAPS_MAX);
  readonly #ends = new Int32Array(GAPS_MAX);
  readonly #values = new Int32Array(GAPS_MAX);

  constructor(slab: PacketSlab) {
    this.#slab = slab;
    this.#ints = slab.ints;
    this.#shorts = slab.shorts;
    this.#view = slab.view;
  }

  get prefix(): Prefix {
    return this.#slab.prefixes[this.#slot]!;
  }

  get packetHash(): number {
    return this.#ints[this.#slot * SLOT_INTS + PACKET_HASH]!;
  }

  get keyHash(): number {
    return this.#ints[this.#slot * SLOT_INTS + KEY_HASH]!;
  }

  get known(): unknown {
    return this.#slab.known[this.#slot];
  }

  set known(known: unknown) {
    this.#slab.known[this.#slot] = known;
  }

  /** Whether a line that was read can be kept. Later numbers may stand in brackets, which hold another packet. */
  static canBe({ bytes, prefixStart, packetStart, end, protocol }: NetfilterWalk): boolean {
    if (end - prefixStart > TEXT_BYTES_MAX || bytes[end - 1] !== SPACE || protocol === NUMBERED) return false;
    for (let i = prefixStart; i < end; i++) {
      if (bytes[i] === 0 || (bytes[i] === OPENING_BRACKET && i >= packetStart)) return false;
    }
    return true;
  }

  /** Keeps in `slot` the line on which `walk` stands, as if it had been compared. @returns whether it could be */
  keep(slot: number, walk: NetfilterWalk, prefix: Prefix, packetHash: number, keyHash: number): boolean {
    const { bytes, prefixStart: start, end } = walk;
    const slab = this.#slab;
    this.#slot = slot;
    const ints = slot * SLOT_INTS;
    const head = slot * SLOT_SHORTS;
    slab.prefixes[slot] = prefix;
    slab.known[slot] = undefined;
    this.#ints[ints + PACKET_HASH] = packetHash;
    this.#ints[ints + KEY_HASH] = keyHash;
    this.#ints[ints + DEST_PORT] = walk.destPort;
    bytes.copy(slab.bytes, slot * SLOT_BYTES + TEXT, start, end);
    const shorts = this.#shorts;
    shorts[head + TEXT_LENGTH] = end - start;
    shorts[head + JSON_LENGTH] = 0;
    shorts[head + VERSION] = walk.version;
    shorts[head + PROTOCOL] = walk.protocol;
    // Nothing is at 0 that the line has; what it has not has no length either.
    for (let k = 0; k < PLACES.length; k++) shorts[head + MARKS + k] = Math.max(0, walk[PLACES[k]!] - start);
    // What the walk has as a number must be in a gap; otherwise nothing is kept.
    if (this.#findGaps(walk)) return true;
    shorts[head + TEXT_LENGTH] = shorts[head + GAP_COUNT] = 0;
    return false;
  }

  /** Whether `bytes[start, end)` is the line in `slot` but for numbers; these are noted. */
  fits(slot: number, bytes: Buffer, view: DataView, start: number, end: number): boolean {
    const shorts = this.#shorts;
    const own = this.#view;
    const head = slot * SLOT_SHORTS;
    const text = slot * SLOT_BYTES + TEXT;
    const count = shorts[head + GAP_COUNT]!;
    this.#slot = slot;
    let at = start;
    let from = 0;
    for (let gap = 0; gap < count; gap++) {
      const length = shorts[head + GAPS + 2 * gap]! - from;
      if (at + length >= end || !sameText(view, at, own, text + from, length)) return false;
      at = this.#readNumber(gap, bytes, at + length, end);
      if (at < 0) return false;
      from = shorts[head + GAPS + 2 * gap + 1]!;
    }
    const rest = shorts[head + TEXT_LENGTH]! - from;
    return at + rest === end && sameText(view, at, own, text + from, rest);
  }

  /** Sets `walk` as if it had walked the line that was compared last. */
  place(walk: NetfilterWalk, bytes: Buffer, start: number, end: number): void {
    const shorts = this.#shorts;
    const head = this.#slot * SLOT_SHORTS;
    const marks = head + MARKS;
    walk.bytes = bytes;
    walk.prefixStart = start;
    walk.end = end;
    walk.packetStart = start + shorts[marks]!;
    walk.inEnd = start + shorts[marks + 1]!;
    walk.outStart = start + shorts[marks + 2]!;
    walk.outEnd = start + shorts[marks + 3]!;
    walk.physinStart = start + shorts[marks + 4]!;
    walk.physinEnd = start + shorts[marks + 5]!;
    walk.physoutStart = start + shorts[marks + 6]!;
    walk.physoutEnd = start + shorts[marks + 7]!;
    walk.interfacesEnd = start + shorts[marks + 8]!;
    walk.srcStart = start + shorts[marks + 9]!;
    walk.srcEnd = start + shorts[marks + 10]!;
    walk.destStart = start + shorts[marks + 11]!;
    walk.destEnd = start + shorts[marks + 12]!;
    walk.version = shorts[head + VERSION]!;
    walk.protocol = shorts[head + PROTOCOL]!;
    walk.protocolNumber = 0;
    walk.destPort = this.#ints[this.#slot * SLOT_INTS + DEST_PORT]!;
    const lengthGap = shorts[head + LENGTH_GAP]!;
    walk.length = lengthGap < 0 ? 0 : this.#values[lengthGap]!;
    walk.lengthStart = lengthGap < 0 ? 0 : this.#starts[lengthGap]!;
    const portGap = shorts[head + PORT_GAP]!;
    walk.srcPort = portGap < 0 ? -1 : this.#values[portGap]!;
    walk.srcPortStart = portGap < 0 ? 0 : this.#starts[portGap]!;
    const idGap = shorts[head + ID_GAP]!;
    walk.idStart = idGap < 0 ? 0 : this.#starts[idGap]!;
  }

  /** Whether JSON is kept that `enricher` would enrich in the same way. */
  hasJson(enricher: Enricher): boolean {
    return this.#shorts[this.#slot * SLOT_SHORTS + JSON_LENGTH]! > 0 && this.#isBy(enricher);
  }

  /** Whether the line's JSON is still to be kept. */
  wantsJson(enricher: Enricher): boolean {
    return this.#shorts[this.#slot * SLOT_SHORTS + JSON_LENGTH] === 0 || !this.#isBy(enricher);
  }

  #isBy(enricher: Enricher): boolean {
    return this.#ints[this.#slot * SLOT_INTS + NAMING] === this.#slab.naming(enricher);
  }

  /**
   * Keeps the JSON of the line that was compared last, as `enricher` has it.
   * @param json `out[start, end)`
   * @param copies what was put into it, in order: numbers of the line, `ID`, `TIME`, and perhaps `SIDES`
   */
  keepJson(out: Buffer, start: number, end: number, copies: readonly Copy[], enricher: Enricher): void {
    const shorts = this.#shorts;
    const head = this.#slot * SLOT_SHORTS;
    const text = this.#slot * SLOT_BYTES + JSON_TEXT;
    this.#ints[this.#slot * SLOT_INTS + NAMING] = this.#slab.naming(enricher);
    shorts[head + JSON_LENGTH] = -1;
    if (end - start > JSON_BYTES_MAX || copies.length > PARTS_MAX) return;
    const gapCount = shorts[head + GAP_COUNT]!;
    const copied = new Set<number>();
    let part = head + PARTS;
    for (const { start: lineStart, json } of copies) {
      const gap = lineStart < 0 ? lineStart : this.#starts.subarray(0, gapCount).indexOf(lineStart);
      if (gap < 0 && lineStart >= 0) continue;
      shorts[part++] = json.start - start;
      shorts[part++] = json.end - start;
      shorts[part++] = gap;
      copied.add(gap);
    }
    // Every number of the line must be in its JSON, and be put there.
    if (copied.size !== gapCount + (enricher.sideOf === undefined ? 2 : 3)) return;
    const { bytes, jsons } = this.#slab;
    out.copy(bytes, text, start, end);
    jsons[this.#slot] = new Uint8Array(bytes.buffer, text, end - start);
    shorts[head + PART_COUNT] = (part - head - PARTS) / 3;
    shorts[head + JSON_LENGTH] = end - start;
  }

  /**
   * Writes the JSON of the line that was compared last, where it is kept: all of it as it was, then the parts that are
   * other ones. Most are as long as they were; behind one that is not, the rest is written once more.
   * @param bytes the line's
   */
  writeJson(json: ByteWriter, bytes: Buffer, rest: Remainder): void {
    const shorts = this.#shorts;
    const head = this.#slot * SLOT_SHORTS;
    const text = this.#slot * SLOT_BYTES + JSON_TEXT;
    const length = shorts[head + JSON_LENGTH]!;
    const partsEnd = head + PARTS + 3 * shorts[head + PART_COUNT]!;
    json.out.set(this.#slab.jsons[this.#slot]!, json.at);
    let base = json.at;
    for (let part = head + PARTS; part < partsEnd; part += 3) {
      json.at = base + shorts[part]!;
      const gap = shorts[part + 2]!;
      if (gap >= 0) json.range(bytes, this.#starts[gap]!, this.#ends[gap]!);
      else if (gap === ID) rest.writeId();
      else if (gap === TIME) rest.writeTime();
      else rest.writeSides();
      const partEnd = shorts[part + 1]!;
      if (json.at === base + partEnd && gap !== SIDES) continue;
      base = json.at - partEnd;
      json.words(this.#view, text + partEnd, text + length);
    }
    json.at = base + length;
  }

  /** Looks behind the addresses for numbers that vary. @returns whether those that the walk has are among them */
  #findGaps(walk: NetfilterWalk): boolean {
    const { bytes, prefixStart, end } = walk;
    const shorts = this.#shorts;
    const head = this.#slot * SLOT_SHORTS;
    shorts[head + LENGTH_GAP] = shorts[head + PORT_GAP] = shorts[head + ID_GAP] = -1;
    let gap = 0;
    let noted = 0;
    for (let at = walk.destEnd + 1; at < end && gap < GAPS_MAX; at = tokenEnd(bytes, at, end) + 1) {
      const start = numberStart(bytes, at);
      if (start < 0) continue;
      const walked = walkedNumber(walk, start);
      if (walked !== undefined) shorts[head + walked] = gap;
      const numberEnd = this.#readNumber(gap, bytes, start, end);
      if (bytes[numberEnd] !== SPACE) {
        if (walked !== undefined) return false;
        continue;
      }
      if (walked !== undefined) noted++;
      shorts[head + GAPS + 2 * gap] = start - prefixStart;
      shorts[head + GAPS + 2 * gap + 1] = numberEnd - prefixStart;
      gap++;
    }
    shorts[head + GAP_COUNT] = gap;
    return noted === Number(walk.length > 0) + Number(walk.srcPort >= 0) + Number(walk.idStart > 0);
  }

  /** Notes the number at `from`. @returns where it ends, or -1 where none stands there that may be another */
  #readNumber(gap: number, bytes: Buffer, from: number, end: number): number {
    let value = 0;
    let at = from;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      value = (Math.imul(value, 10) + digit) | 0;
    }
    const digits = at - from;
    if (digits === 0 || digits > DIGITS_MAX || (digits > 1 && bytes[from] === ZERO)) return -1;
    const head = this.#slot * SLOT_SHORTS;
    if (gap === this.#shorts[head + LENGTH_GAP]) {
      if (value === 0 || digits > LENGTH_DIGITS_MAX) return -1;
    } else if (gap === this.#shorts[head + PORT_GAP]) {
      if (digits > PORT_DIGITS_MAX || value > PORT_MAX) return -1;
    }
    this.#starts[gap] = from;
    this.#ends[gap] = at;
    this.#values[gap] = value;
    return at;
  }
}

/** Where the number begins of a key at `at`, if that is one of those that vary; else -1. */
function numberStart(bytes: Buffer, at: number): number {
  for (let k = 0; k < VARYING.length; k++) if (isAt(bytes, at, VARYING[k]!)) return at + VARYING[k]!.length;
  return -1;
}

/** Where a slot notes which gap holds the number at `start`, if the walk has it as a number. */
function walkedNumber(walk: NetfilterWalk, start: number): number | undefined {
  if (start === walk.srcPortStart) return PORT_GAP;
  if (start === walk.lengthStart) return LENGTH_GAP;
  return start === walk.idStart ? ID_GAP : undefined;
}
