import { JSON_TYPES, type JsonFields } from './json-fields.ts';
import {
  BACKSLASH,
  BAD,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  CUT,
  JsonScanner,
  OPEN_BRACE,
  QUOTE,
} from './json-scan.ts';
import type { UnparsableReason } from './line.ts';
import {
  BYTES,
  CONNECTION,
  CONNECTION_FIELDS,
  COUNT,
  DEST,
  DEST_FIELDS,
  LAST_TIMESTAMP,
  PACKETS,
  POD_NAME,
  POLICIES,
  POLICY_FIELDS,
  POLICY_NAME,
  SIDE_NODE_NAME,
  SLOTS,
  SRC,
  SRC_FIELDS,
  SRC_PORT,
  SRC_PORTS,
  TIMESTAMP,
  TOP,
  WORKLOAD_NAME,
} from './policy-action-slots.ts';

/**
 * Walks one policy-action line once and notes where the values of the known members stand. It decides only
 * what structure decides (JSON or not, types, members given twice); what a value says is the caller's matter.
 *
 * `starts[slot]` is 0 where a member is absent, `null`, or of another type than it should be; the latter and a
 * member given twice also set `misfit`. Everything stands until the next `scan`.
 */
export class PolicyActionScan {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  readonly starts = new Int32Array(SLOTS);
  readonly ends = new Int32Array(SLOTS);
  /** Where the key of each top-level member begins. */
  readonly keys = new Int32Array(SLOTS);
  /** Top-level members beyond those that every record has, in the line's order. */
  readonly further = new Int32Array(2 * FURTHER_MAX);
  furtherCount = 0;
  /** Values that may differ between lines of one key, in the line's order. */
  readonly cuts = new Int32Array(2 * CUTS_MAX);
  cutCount = 0;
  misfit = false;
  readonly #json = new JsonScanner();

  /** The line's buffer, in words. */
  get view(): DataView {
    return this.#json.view;
  }

  /** Whether the line's bytes are what `JSON.stringify` would write for its members. */
  get plain(): boolean {
    return this.#json.plain;
  }

  /** Whether JavaScript's numbers hold and print all the line's numbers unchanged. */
  get exact(): boolean {
    return this.#json.exact;
  }

  /** Whether the line has an escape in a string. */
  get escaped(): boolean {
    return this.#json.escaped;
  }

  /** @returns why the line is no JSON object, or undefined */
  scan(bytes: Buffer, start: number, end: number): UnparsableReason | undefined {
    this.open(bytes, start, end);
    const at = this.#json.space(start);
    const isObject = at < end && bytes[at] === OPEN_BRACE;
    const after = isObject ? this.object(at + 1, TOP) : this.#json.value(at);
    if (after === CUT) return 'truncated';
    if (after < 0 || this.#json.space(after) !== end) return 'bad_json';
    return isObject ? undefined : 'not_a_record';
  }

  /** Makes ready for a line of which nothing is noted yet. */
  open(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.starts.fill(0);
    this.furtherCount = 0;
    this.cutCount = 0;
    this.misfit = false;
    this.#json.open(bytes, end);
  }

  /** Whether a side says who it is. */
  isSomebody(side: number): boolean {
    const { starts } = this;
    return (
      starts[side + POD_NAME] !== 0 ||
      starts[side + SIDE_NODE_NAME] !== 0 ||
      starts[side + WORKLOAD_NAME] !== 0
    );
  }

  /** @param at after the opening brace @returns after the closing one, or an error */
  object(at: number, fields: JsonFields): number {
    const json = this.#json;
    const bytes = this.bytes;
    const end = this.end;
    let i = json.space(at);
    if (i < end && bytes[i] === CLOSE_BRACE) return i + 1;
    let seen = 0;
    let unknown = false;
    let previous = -1;
    for (;;) {
      if (i >= end) return CUT;
      if (bytes[i] !== QUOTE) return BAD;
      const keyAt = i;
      let index = fields.likely(previous);
      i = fields.match(index, json.view, keyAt, end);
      if (i === 0) {
        i = json.string(keyAt + 1);
        if (i < 0) return i;
        index = this.#find(keyAt, i, fields, previous);
        i = json.colon(i);
        if (i < 0) return i;
      } else i = json.space(i);
      if (i >= end) return CUT;
      previous = index;
      if (index >= 0) {
        if ((seen & (1 << index)) !== 0) this.misfit = true;
        seen |= 1 << index;
        i = this.#known(keyAt, i, fields, index);
        if (i < 0) return i;
      } else {
        // A second unknown member could repeat the first, and a number as key is written before other keys.
        if (unknown || bytes[keyAt + 1]! <= 0x39) json.plain = false;
        unknown = true;
        i = json.value(i);
        if (i < 0) return i;
        if (fields === TOP) this.#noteFurther(keyAt, i);
      }
      i = json.space(i);
      if (i >= end) return CUT;
      const next = bytes[i++];
      if (next === CLOSE_BRACE) return i;
      if (next !== COMMA) return BAD;
      i = json.space(i);
    }
  }

  /** @returns after the value of a known member, or an error */
  #known(keyAt: number, at: number, fields: JsonFields, index: number): number {
    const json = this.#json;
    const bytes = this.bytes;
    const type = TYPE_OF_FIRST[bytes[at]!];
    const slot = fields.slot + index;
    let after: number;
    if (type !== fields.types[index]) {
      after = json.value(at);
      json.plain = false;
      if (type !== JSON_TYPES.null) this.misfit = true;
      return after;
    }
    if (type === JSON_TYPES.string) after = json.string(at + 1);
    else if (fields === TOP && slot === SRC) after = this.object(at + 1, SRC_FIELDS);
    else if (fields === TOP && slot === DEST) after = this.object(at + 1, DEST_FIELDS);
    else if (fields === TOP && slot === CONNECTION) after = this.object(at + 1, CONNECTION_FIELDS);
    else if (fields === TOP && slot === POLICIES) after = this.policies(at + 1);
    else after = json.value(at);
    if (after < 0) return after;
    this.starts[slot] = at;
    this.ends[slot] = after;
    if (fields === TOP) {
      this.keys[slot] = keyAt;
      if (slot > TIMESTAMP) this.#noteFurther(keyAt, after);
    }
    if (VARIES[slot] === 1) this.cut(at, after);
    return after;
  }

  /** Notes a value that may differ between lines of one key. */
  cut(at: number, after: number): void {
    if (this.cutCount === CUTS_MAX) return;
    this.cuts[2 * this.cutCount] = at;
    this.cuts[2 * this.cutCount++ + 1] = after;
  }

  /** @param at after the opening bracket @returns after the closing one, or an error */
  policies(at: number): number {
    const json = this.#json;
    const bytes = this.bytes;
    const end = this.end;
    let i = json.space(at);
    if (i < end && bytes[i] === CLOSE_BRACKET) return i + 1;
    for (;;) {
      if (i >= end) return CUT;
      if (bytes[i] === OPEN_BRACE) {
        this.starts[POLICY_NAME] = 0;
        i = this.object(i + 1, POLICY_FIELDS);
        // An empty name may be left out; the record has it, so the bytes are not the record's.
        if (this.starts[POLICY_NAME] === 0) json.plain = false;
      } else {
        this.misfit = true;
        i = json.value(i);
      }
      if (i < 0) return i;
      i = json.space(i);
      if (i >= end) return CUT;
      const next = bytes[i++];
      if (next === CLOSE_BRACKET) return i;
      if (next !== COMMA) return BAD;
      i = json.space(i);
    }
  }

  /** @param keyAt the key's opening quote @param after after its closing one */
  #find(keyAt: number, after: number, fields: JsonFields, previous: number): number {
    if (this.#json.escaped && this.bytes.subarray(keyAt, after).includes(BACKSLASH)) {
      const key = Buffer.from(JSON.parse(this.bytes.toString('utf8', keyAt, after)));
      return fields.find(previous, key, 0, key.length);
    }
    return fields.find(previous, this.bytes, keyAt + 1, after - 1);
  }

  #noteFurther(keyAt: number, after: number): void {
    if (this.furtherCount === FURTHER_MAX) {
      this.#json.plain = false;
      return;
    }
    this.further[2 * this.furtherCount] = keyAt;
    this.further[2 * this.furtherCount++ + 1] = after;
  }
}

/** More members than this beyond the known ones are carried through the slower way. */
const FURTHER_MAX = 16;
const CUTS_MAX = 8;
/** Per slot: 1 where lines of one key may differ. */
const VARIES = new Uint8Array(SLOTS);
for (const varying of [SRC_PORT, COUNT, TIMESTAMP, LAST_TIMESTAMP, PACKETS, BYTES, SRC_PORTS])
  VARIES[varying] = 1;

/** The type of a value by its first byte. */
const TYPE_OF_FIRST = new Uint8Array(256);
for (const digit of '-0123456789') TYPE_OF_FIRST[digit.charCodeAt(0)] = JSON_TYPES.number;
TYPE_OF_FIRST[QUOTE] = JSON_TYPES.string;
TYPE_OF_FIRST[OPEN_BRACE] = JSON_TYPES.object;
TYPE_OF_FIRST['['.charCodeAt(0)] = JSON_TYPES.array;
TYPE_OF_FIRST['t'.charCodeAt(0)] = JSON_TYPES.boolean;
TYPE_OF_FIRST['f'.charCodeAt(0)] = JSON_TYPES.boolean;
