import type { Buffer } from 'node:buffer';
import { canonicalIpBytes, isIpv4 } from './ip.ts';
import { layoutOf, type Stretch } from './policy-action-layout.ts';
import type { PolicyActionScan } from './policy-action-scan.ts';
import * as at from './policy-action-slots.ts';
import { COUNT_MAX, isPlainTime, PORT_MAX } from './policy-action-values.ts';
import type { Disposition } from './record.ts';
import { END, type Gap, ShapeMemory, type ShapeText } from './shape-memory.ts';
import { SideMemory, sampleOf, UNKNOWN } from './side-memory.ts';
import { type Instant, readRfc3339 } from './time.ts';

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const ZERO = 0x30;

const GAP_SLOTS = [
  ...[at.SRC_IP, at.DEST_IP, at.SRC_PORT, at.DEST_PORT],
  ...[at.POLICIES, at.SRC, at.DEST, at.COUNT, at.TIMESTAMP],
];
/** Values that would vary as well, and that GKE's lines have not: a line with one of them has no shape. */
const OTHER_SLOTS = [at.LAST_TIMESTAMP, at.PACKETS, at.BYTES, at.SRC_PORTS, at.PACKET];

/** What all lines of one shape have in common. */
export interface Shape {
  readonly disposition: Disposition;
  readonly layout: readonly Stretch[];
}

/** What the parsers of one format remember: a line of one of them holds until the next call of any. */
export class PolicyActionMemory {
  readonly shapes = new ShapeMemory<Shape>();
  readonly sides = new SideMemory();
}

/**
 * Reads lines of known shape: those that are, but for the values in the gaps, a line that was read before, and was
 * found to be good and plain.
 *
 * - What it reads, it reads as the scan of the whole line does. So in a gap must stand a good and plain value, one
 *   whose bytes a record has as they are; a line with any other is left to the scan.
 * - Whatever was remembered before decides about speed alone.
 * - Lines come again with other addresses, ports, policies, pods, counts and times. One with an unknown member
 *   whose value varies is of another shape each time, and gains nothing.
 */
export class PolicyActionRecall {
  /** Of the line that was read last. */
  srcPort = -1;
  count = 1;
  readonly instant: Instant = { timeUs: 0, digits: 0, finer: '', end: 0 };
  /** Where the texts between the gaps begin. */
  readonly texts = new Int32Array(GAP_SLOTS.length + 1);
  /** Places of the line's sides, where they are remembered: their members are not among the spans of the scan. */
  src = UNKNOWN;
  dest = UNKNOWN;
  readonly #scan: PolicyActionScan;
  readonly #memory: PolicyActionMemory;
  #srcSample = 0;
  #destSample = 0;

  constructor(scan: PolicyActionScan, memory: PolicyActionMemory) {
    this.#scan = scan;
    this.#memory = memory;
  }

  /**
   * @returns the line's shape where that is known. Then there are in the scan: the cuts, and the spans of the gaps and
   *   of the members of sides that are not remembered.
   */
  read(bytes: Buffer, start: number, end: number): Shape | undefined {
    const scan = this.#scan;
    const { shapes } = this.#memory;
    scan.open(bytes, start, end);
    this.src = this.dest = UNKNOWN;
    this.srcPort = -1;
    let text: ShapeText<Shape> | undefined;
    let from = start;
    for (let k = 0; ; k++) {
      text = shapes.find(text, scan.view, from, end);
      if (text === undefined) return undefined;
      this.texts[k] = from;
      from += text.length;
      if (text.slot === END) break;
      const after = from < end ? this.#value(text.slot, bytes, from, end) : -1;
      if (after < 0) return undefined;
      scan.starts[text.slot] = from;
      scan.ends[text.slot] = after;
      from = after;
    }
    if (from !== end || !scan.plain || !scan.exact || scan.escaped || scan.misfit) return undefined;
    this.#keepSides();
    return text.whole;
  }

  /** Remembers the line on which the scan stands, which was found to be good and plain, and takes it for unknown. */
  keep(disposition: Disposition): void {
    const { bytes, start, end, starts, ends, exact } = this.#scan;
    this.src = this.dest = UNKNOWN;
    this.texts[0] = start;
    if (!exact || OTHER_SLOTS.some((slot) => starts[slot] !== 0)) return;
    const gaps: Gap[] = GAP_SLOTS.filter((slot) => starts[slot] !== 0)
      .map((slot) => ({ slot, start: starts[slot]!, end: ends[slot]! }))
      .sort((one, other) => one.start - other.start);
    const shape = { disposition, layout: layoutOf(this.#scan, gaps) };
    this.#memory.shapes.add(bytes, start, end, gaps, shape);
    this.#keepSides();
  }

  /** Remembers the sides that were scanned. */
  #keepSides(): void {
    if (this.src === UNKNOWN) this.#keepSide(at.SRC, at.SRC_IP, at.SRC_SIDE, this.dest);
    if (this.dest === UNKNOWN) this.#keepSide(at.DEST, at.DEST_IP, at.DEST_SIDE, this.src);
  }

  /** @param other the place of the line's other side */
  #keepSide(slot: number, ipSlot: number, side: number, other: number): void {
    const { bytes, starts, ends } = this.#scan;
    // Any other gets what an enricher says of its address.
    if (!this.#scan.isSomebody(side) || starts[side + at.INSTANCE] !== 0) return;
    const { sides } = this.#memory;
    const sample = sampleOf(bytes, starts[ipSlot]! + 1, ends[ipSlot]! - 1);
    if (sides.find(sample, this.#scan.view, starts[slot]!, ends[slot]!) !== UNKNOWN) return;
    sides.add(sample, bytes, starts[slot]!, ends[slot]!, starts[side + at.RESOLVED_BY] !== 0, other);
  }

  /** @returns where the value of a gap ends, or a negative number where none is there that is good and plain */
  #value(slot: number, bytes: Buffer, from: number, end: number): number {
    const scan = this.#scan;
    switch (slot) {
      case at.SRC_IP:
      case at.DEST_IP:
        return this.#address(slot, bytes, from, end);
      case at.SRC: {
        this.src = this.#memory.sides.find(this.#srcSample, scan.view, from, end);
        return this.#side(this.src, slot, from);
      }
      case at.DEST: {
        this.dest = this.#memory.sides.find(this.#destSample, scan.view, from, end);
        return this.#side(this.dest, slot, from);
      }
      case at.POLICIES:
        return bytes[from] === OPEN_BRACKET ? scan.policies(from + 1) : -1;
      case at.TIMESTAMP:
        return this.#time(bytes, from, end);
      default:
        return this.#number(slot, bytes, from, end);
    }
  }

  /** An address in canonical form. */
  #address(slot: number, bytes: Buffer, from: number, end: number): number {
    if (bytes[from] !== QUOTE) return -1;
    const start = from + 1;
    let to = start;
    while (to < end && bytes[to] !== QUOTE) to++;
    if (to === end) return -1;
    if (!isIpv4(bytes, start, to)) {
      const address = canonicalIpBytes(bytes, start, to);
      if (address === undefined || address !== bytes.toString('latin1', start, to)) return -1;
    }
    if (slot === at.SRC_IP) this.#srcSample = sampleOf(bytes, start, to);
    else this.#destSample = sampleOf(bytes, start, to);
    return to + 1;
  }

  /** @param known its place in the memory */
  #side(known: number, slot: number, from: number): number {
    if (known !== UNKNOWN) return from + this.#memory.sides.lengthOf(known);
    const scan = this.#scan;
    if (scan.bytes[from] !== OPEN_BRACE) return -1;
    const fields = slot === at.SRC ? at.SRC_FIELDS : at.DEST_FIELDS;
    const after = scan.object(from + 1, fields);
    return scan.starts[fields.slot + at.RESOLVED_BY] === 0 ? after : -1;
  }

  #time(bytes: Buffer, from: number, end: number): number {
    const { instant } = this;
    const start = from + 1;
    if (bytes[from] !== QUOTE || !readRfc3339(bytes, start, end, instant)) return -1;
    const to = instant.end;
    if (to === end || bytes[to] !== QUOTE || !isPlainTime(bytes, start, to)) return -1;
    this.#scan.cut(from, to + 1);
    return to + 1;
  }

  #number(slot: number, bytes: Buffer, from: number, end: number): number {
    const max = slot === at.COUNT ? COUNT_MAX : PORT_MAX;
    let value = 0;
    let to = from;
    for (; to < end; to++) {
      const digit = bytes[to]! - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (value > max) return -1;
    }
    if (to === from || (bytes[from] === ZERO && to > from + 1)) return -1;
    if (slot === at.DEST_PORT) return to;
    if (slot === at.COUNT && value === 0) return -1;
    if (slot === at.SRC_PORT) this.srcPort = value;
    else this.count = value;
    this.#scan.cut(from, to);
    return to;
  }
}
