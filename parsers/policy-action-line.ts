import { canonicalIpBytes, isIpv4 } from './ip.ts';
import { decodeJsonExactly } from './json-decode.ts';
import type { Enricher, FlowLine, UnparsableReason } from './line.ts';
import { PolicyActionJson } from './policy-action-json.ts';
import { layoutOf } from './policy-action-layout.ts';
import { type PolicyActionMemory, PolicyActionRecall, type Shape } from './policy-action-recall.ts';
import { type Line, policyActionRecord } from './policy-action-record.ts';
import { PolicyActionScan } from './policy-action-scan.ts';
import * as at from './policy-action-slots.ts';
import { COUNT_MAX, isPlainTime, PORT_MAX } from './policy-action-values.ts';
import { DISPOSITIONS, type Disposition, type FlowRecord, type Policy, type Source } from './record.ts';
import { formatRfc3339, type Instant, readRfc3339 } from './time.ts';

export interface PolicyActionOptions {
  /** The input's name, for `source.input`. */
  input: string;
  /** Given as `node_name` where the line names none; may be empty. */
  node: string;
  /**
   * Gives lines whose disposition is `unknown` one by their policies, named NAMESPACE/NAME or NAME; the first
   * rule that fits decides. GKE's own verdicts stand.
   */
  dispositions: readonly { policy?: string | undefined; disposition: Disposition }[];
}

/**
 * One policy-action line, used again for every line of a file. `read` checks everything that the record
 * promises, in this order, and names the first thing that is wrong:
 *
 * - `truncated`, `bad_json`, `not_a_record` (no JSON object, or one without `connection` or `disposition`);
 * - `no_timestamp`: none, or none in RFC 3339;
 * - `bad_address`: `src_ip` or `dest_ip` is missing or no address;
 * - `bad_field`: a known member given twice, of a wrong type, or with a value that it cannot have: a port
 *   beyond 65535, a `count` that is not a whole number from 1 to 4294967295, …
 *
 * `null` is the same as absent. `count` absent is 1. A line's key is all of its bytes but times, counters and
 * source port, so lines of equal keys make records that are equal but for those.
 */
export class PolicyActionLine implements FlowLine {
  readonly kind = 'flow';
  disposition: Disposition = 'unknown';
  timeUs = 0;
  timeDigits = 0;
  count = 1;
  packets = 0;
  bytes = 0;
  srcPort = -1;

  readonly #node: string;
  readonly #rules: PolicyActionOptions['dispositions'];
  readonly #source: Source;
  readonly #json: PolicyActionJson;
  readonly #scan = new PolicyActionScan();
  readonly #recall: PolicyActionRecall;
  /** The line's shape, where it was read by that. */
  #shape: Shape | undefined;
  #finer = '';
  /** The line's members stand as the record has them; only its order and what is added may differ. */
  #verbatim = false;

  constructor({ input, node, dispositions }: PolicyActionOptions, memory: PolicyActionMemory) {
    this.#node = node;
    this.#rules = dispositions.filter((rule) => rule.policy !== undefined);
    this.#source = { input, format: 'policy_action' };
    this.#recall = new PolicyActionRecall(this.#scan, memory);
    this.#json = new PolicyActionJson(this.#source, memory.sides);
  }

  /** @returns what is wrong with the line, or undefined: then this is the line until the next call */
  read(bytes: Buffer, start: number, end: number): UnparsableReason | undefined {
    this.#shape = this.#recall.read(bytes, start, end);
    if (this.#shape === undefined) return this.#readWhole(bytes, start, end);
    this.disposition = this.#shape.disposition;
    this.srcPort = this.#recall.srcPort;
    this.count = this.#recall.count;
    this.packets = 0;
    this.bytes = 0;
    this.#setTime(this.#recall.instant);
    this.#verbatim = true;
    if (this.disposition === 'unknown' && this.#rules.length > 0) this.#applyRules();
    return undefined;
  }

  #readWhole(bytes: Buffer, start: number, end: number): UnparsableReason | undefined {
    const scan = this.#scan;
    const reason = scan.scan(bytes, start, end);
    if (reason !== undefined) return reason;
    let misfit = scan.misfit;
    if (scan.escaped) {
      // Rare: the line is written anew, with as few escapes as there can be, and read as that.
      const rewritten = Buffer.from(JSON.stringify(decodeJsonExactly(bytes.toString('utf8', start, end))));
      scan.scan(rewritten, 0, rewritten.length);
      misfit ||= scan.misfit;
    }
    this.#verbatim = scan.plain && this.#isComplete();
    if (scan.starts[at.CONNECTION] === 0 || scan.starts[at.DISPOSITION] === 0) return 'not_a_record';
    if (!this.#readTime()) return 'no_timestamp';
    if (!this.#isAddress(at.SRC_IP) || !this.#isAddress(at.DEST_IP)) return 'bad_address';
    if (misfit || !this.#readFields()) return 'bad_field';
    if (this.disposition === 'unknown' && this.#rules.length > 0) this.#applyRules();
    if (this.#verbatim) this.#recall.keep(this.disposition);
    return undefined;
  }

  keyHash(): number {
    const { bytes, starts, ends } = this.#scan;
    let hash = this.disposition.length;
    for (const slot of KEY_SLOTS) {
      if (starts[slot] === 0) continue;
      for (let i = starts[slot]!; i < ends[slot]!; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    }
    return hash >>> 0;
  }

  keyEquals(key: Uint8Array): boolean {
    const { bytes, start, end, cuts, cutCount } = this.#scan;
    let from = start;
    let k = 0;
    for (let cut = 0; cut <= cutCount; cut++) {
      const to = cut < cutCount ? cuts[2 * cut]! : end;
      if (to - from > key.length - k) return false;
      for (let i = from; i < to; i++) if (bytes[i] !== key[k++]) return false;
      from = cuts[2 * cut + 1]!;
    }
    return k === key.length;
  }

  copyKey(): Uint8Array {
    const { bytes, start, end, cuts, cutCount } = this.#scan;
    const parts: Buffer[] = [];
    let from = start;
    for (let cut = 0; cut < cutCount; cut++) {
      parts.push(bytes.subarray(from, cuts[2 * cut]));
      from = cuts[2 * cut + 1]!;
    }
    parts.push(bytes.subarray(from, end));
    return Buffer.concat(parts);
  }

  timestamp(): string {
    return formatRfc3339(this.timeUs, this.timeDigits, this.#finer);
  }

  toRecord(id: string): FlowRecord {
    const { bytes, start, end, exact } = this.#scan;
    const text = bytes.toString('utf8', start, end);
    return policyActionRecord((exact ? JSON.parse(text) : decodeJsonExactly(text)) as Line, {
      id,
      disposition: this.disposition,
      srcIp: this.#address(at.SRC_IP),
      destIp: this.#address(at.DEST_IP),
      timestamp: this.timestamp(),
      lastTimestamp: this.#lastTimestamp(),
      node: this.#node,
      source: this.#source,
    });
  }

  writeJson(id: Buffer, out: Buffer, offset: number, enricher?: Enricher): number {
    if (this.#verbatim) {
      const layout = this.#shape?.layout ?? layoutOf(this.#scan, []);
      return this.#json.write(this.#scan, this.#recall, layout, id, this.timeUs, out, offset, enricher);
    }
    const record = this.toRecord(id.toString('latin1'));
    enricher?.enrich(record, this.timeUs);
    const json = Buffer.from(JSON.stringify(record));
    return json.length > out.length - offset ? -1 : offset + json.copy(out, offset);
  }

  /** Whether the line has all that a record has and a line may leave out, and nothing that a record replaces. */
  #isComplete(): boolean {
    const { starts, ends } = this.#scan;
    if (starts[at.SRC] === 0 || starts[at.DEST] === 0 || starts[at.COUNT] === 0) return false;
    if (starts[at.ID] !== 0 || starts[at.SOURCE] !== 0) return false;
    return starts[at.NODE_NAME] !== 0 && ends[at.NODE_NAME]! - starts[at.NODE_NAME]! > 2;
  }

  #readTime(): boolean {
    if (!this.#readInstant(at.TIMESTAMP)) return false;
    this.#setTime(instant);
    return true;
  }

  #setTime({ timeUs, digits, finer }: Instant): void {
    this.timeUs = timeUs;
    this.timeDigits = digits;
    this.#finer = finer;
  }

  /** Reads an RFC 3339 member into `instant`. */
  #readInstant(slot: number): boolean {
    const { bytes, starts, ends } = this.#scan;
    const start = starts[slot]! + 1;
    const end = ends[slot]! - 1;
    if (starts[slot] === 0 || !readRfc3339(bytes, start, end, instant) || instant.end !== end) return false;
    if (!isPlainTime(bytes, start, end)) this.#verbatim = false;
    return true;
  }

  #lastTimestamp(): string | undefined {
    if (this.#scan.starts[at.LAST_TIMESTAMP] === 0) return undefined;
    this.#readInstant(at.LAST_TIMESTAMP);
    return formatRfc3339(instant.timeUs, instant.digits, instant.finer);
  }

  #isAddress(slot: number): boolean {
    const { bytes, starts, ends } = this.#scan;
    const start = starts[slot]! + 1;
    const end = ends[slot]! - 1;
    if (starts[slot] === 0) return false;
    if (isIpv4(bytes, start, end)) return true;
    const address = canonicalIpBytes(bytes, start, end);
    if (address !== undefined && address !== bytes.toString('latin1', start, end)) this.#verbatim = false;
    return address !== undefined;
  }

  #address(slot: number): string {
    const { bytes, starts, ends } = this.#scan;
    return canonicalIpBytes(bytes, starts[slot]! + 1, ends[slot]! - 1)!;
  }

  /** Reads what is left to read; false where a value is none that the member can have. */
  #readFields(): boolean {
    const { starts } = this.#scan;
    const disposition = this.#word(at.DISPOSITION, QUOTED_DISPOSITIONS);
    if (disposition < 0) return false;
    this.disposition = DISPOSITIONS[disposition]!;
    this.srcPort = this.#uint(at.SRC_PORT, -1, PORT_MAX);
    this.count = this.#uint(at.COUNT, 1, COUNT_MAX);
    this.packets = this.#uint(at.PACKETS, 0, Number.MAX_SAFE_INTEGER);
    this.bytes = this.#uint(at.BYTES, 0, Number.MAX_SAFE_INTEGER);
    return (
      this.srcPort !== BAD_NUMBER &&
      this.#uint(at.DEST_PORT, -1, PORT_MAX) !== BAD_NUMBER &&
      this.count > 0 &&
      this.packets !== BAD_NUMBER &&
      this.bytes !== BAD_NUMBER &&
      this.#isProtocol() &&
      (starts[at.DIRECTION] === 0 || this.#word(at.DIRECTION, DIRECTIONS) >= 0) &&
      this.#isResolution(at.SRC_SIDE) &&
      this.#isResolution(at.DEST_SIDE) &&
      (starts[at.LAST_TIMESTAMP] === 0 || this.#readInstant(at.LAST_TIMESTAMP)) &&
      this.#areExtensions()
    );
  }

  #isProtocol(): boolean {
    const { bytes, starts, ends } = this.#scan;
    const slot = at.PROTOCOL;
    for (let i = starts[slot]! + 1; i < ends[slot]! - 1; i++) {
      if (bytes[i]! >= 0x41 && bytes[i]! <= 0x5a) this.#verbatim = false;
    }
    return starts[slot] !== 0 && ends[slot]! - starts[slot]! > 2;
  }

  #isResolution(side: number): boolean {
    const slot = side + at.RESOLVED_BY;
    return this.#scan.starts[slot] === 0 || this.#word(slot, RESOLUTIONS) >= 0;
  }

  /** Members that this agent's own records have and GKE's have not: in a line that came through another agent. */
  #areExtensions(): boolean {
    const { bytes, starts, ends } = this.#scan;
    for (const slot of [at.SRC_PORTS, at.PACKET]) {
      if (starts[slot] === 0) continue;
      const value = JSON.parse(bytes.toString('utf8', starts[slot], ends[slot]));
      if (Array.isArray(value) ? !value.every(isPort) : !isPacket(value)) return false;
    }
    return true;
  }

  #applyRules(): void {
    const { bytes, starts, ends } = this.#scan;
    if (starts[at.POLICIES] === 0) return;
    const policies: Policy[] = JSON.parse(bytes.toString('utf8', starts[at.POLICIES], ends[at.POLICIES]));
    const names = policies.flatMap(({ name, namespace }) => [name, `${namespace}/${name}`]);
    const rule = this.#rules.find((candidate) => names.includes(candidate.policy!));
    if (rule === undefined || rule.disposition === 'unknown') return;
    this.disposition = rule.disposition;
    this.#verbatim = false;
  }

  /** @returns which of the words the member is, or -1 */
  #word(slot: number, words: readonly Buffer[]): number {
    const { bytes, starts, ends } = this.#scan;
    const start = starts[slot]!;
    const length = ends[slot]! - start;
    for (let w = 0; w < words.length; w++) {
      const word = words[w]!;
      let k = word.length === length ? 0 : length;
      while (k < word.length && bytes[start + k] === word[k]) k++;
      if (k === word.length && k === length) return w;
    }
    return -1;
  }

  /** The member as a whole number up to `max` written in digits alone; `absent` without it. */
  #uint(slot: number, absent: number, max: number): number {
    const { bytes, starts, ends } = this.#scan;
    if (starts[slot] === 0) return absent;
    let value = 0;
    for (let i = starts[slot]!; i < ends[slot]!; i++) {
      const digit = bytes[i]! - 0x30;
      if (digit < 0 || digit > 9) return BAD_NUMBER;
      value = value * 10 + digit;
      if (value > max) return BAD_NUMBER;
    }
    return value;
  }
}

const BAD_NUMBER = -2;

const QUOTED_DISPOSITIONS = quoted(DISPOSITIONS);
const DIRECTIONS = quoted(['ingress', 'egress']);
const RESOLUTIONS = quoted(['upstream', 'interface', 'ip']);
const KEY_SLOTS = [at.SRC_IP, at.DEST_IP, at.DEST_PORT] as const;
const instant: Instant = { timeUs: 0, digits: 0, finer: '', end: 0 };

function quoted(words: readonly string[]): Buffer[] {
  return words.map((word) => Buffer.from(`"${word}"`));
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= PORT_MAX;
}

function isPacket(value: Record<string, unknown>): boolean {
  return ['in', 'out', 'physin', 'physout'].every(
    (name) => value[name] === undefined || typeof value[name] === 'string',
  );
}
