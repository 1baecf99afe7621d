import type { Buffer } from 'node:buffer';
import type { Disposition, FlowRecord, LogRecord, MergeFields } from './record.ts';

/**
 * What a parser makes of one physical line. A bad line is a value with a bounded reason, never an exception.
 *
 * The fast path is the retry that merges: for it a parser notes where in the bytes the values stand, and
 * nothing is decoded. So a `FlowLine` is a view over the reader's buffer, one object that the parser uses
 * again and again: it holds until the parser's next call, and whoever wants to keep something calls
 * `toRecord` or `copyKey`.
 */
export type ParsedLine =
  | FlowLine
  | LogLine
  | ForeignLine
  | RefusedLine
  | DroppedLine
  | MergedLine
  | RepeatedLine;

/** A connection. */
export interface FlowLine {
  readonly kind: 'flow';
  readonly disposition: Disposition;
  /** Event time, whole microseconds since the epoch. */
  readonly timeUs: number;
  /** Digits after the point that the source's timestamp has; beyond 6, `timestamp()` alone has them all. */
  readonly timeDigits: number;
  /** Connections that this line stands for: 1, a `policy_action` line's own count, or a repeat's N. */
  readonly count: number;
  /** Packets and their bytes that the line tells of; 0 where it tells nothing. */
  readonly packets: number;
  readonly bytes: number;
  /** -1 where the protocol has none. */
  readonly srcPort: number;

  /**
   * The merge key: those bytes of the line that decide everything but time, source port and counters:
   * prefix, interfaces, addresses, protocol, destination port. Two lines of one parser with the same key have
   * the same connection (but for the source port), disposition, policies and direction. The reverse does not
   * hold: one connection may be written in two ways.
   */
  keyHash(): number;
  /** @param key what `copyKey` gave, unchanged */
  keyEquals(key: Uint8Array): boolean;
  copyKey(): Uint8Array;
  /** What this line and others with its key have in common; undefined where the parser remembers none. */
  readonly kin?: Kin | undefined;

  /** The event's time as the record writes it: RFC 3339, UTC, all digits. */
  timestamp(): string;
  /** A record of its own, with everything that the line says. */
  toRecord(id: string): FlowRecord;
  /**
   * Writes the record as `JSON.stringify(toRecord(id))` has it, in UTF-8, to `out` from `at` on; where the
   * format can, straight from the line's bytes.
   * @param id ASCII that JSON writes without escapes, in memory that is used again
   * @param enricher what the record is to be enriched by before, as by `enricher.enrich`
   * @returns where the JSON ends, or -1 where `out` may have too little room
   */
  writeJson?(id: Buffer, out: Buffer, at: number, enricher?: Enricher): number;
  /**
   * As `writeJson`, but for `count`, `packets` and `bytes`, which merging changes, and the closing brace. Only where it
   * is cheaper than by `toRecord`.
   */
  writeOpening?(id: Buffer, out: Buffer, at: number, enricher: Enricher): number;
  /** What of `toRecord` decides about merging, without making all of it; there where `writeOpening` is. */
  mergeFields?(): MergeFields;
}

/** Lines with the same merge key that a parser has recognized as such. Like the line, it is a view: it holds as long. */
export interface Kin {
  /** For the stages, to keep what they know of these lines; undefined at first. */
  known: unknown;
}

/**
 * Gives sides what their source has not: one that the source does not name the names that are known for its address,
 * else its address as `instance`; and an `instance` its `network`.
 */
export interface Enricher {
  /** @param timeUs the time of the event */
  enrich(record: FlowRecord, timeUs: number): unknown;
  /** The network of an address; undefined for what is none. */
  networkOf(address: string): string | undefined;
  /** Another value when `networkOf` may answer otherwise. */
  readonly networksVersion?: unknown;
  /**
   * Whom a side is, as JSON, of which the source says no more than its address and the interface that leads there;
   * undefined where that is not known. Absent where nobody is.
   */
  readonly sideOf?: (
    address: string,
    interfaceName: string | undefined,
    timeUs: number,
  ) => string | undefined;
}

/** A line of an input that has no flow semantics; `toRecord` keeps it as it is. */
export interface LogLine {
  readonly kind: 'log';
  readonly timeUs: number;
  toRecord(id: string): LogRecord;
}

/** Not a line that this input is about. */
export interface ForeignLine {
  readonly kind: 'foreign';
}

/** A line that should have been readable and is not. */
export interface RefusedLine {
  readonly kind: 'unparsable';
  readonly reason: UnparsableReason;
}

/** A line that was understood and must not become a record. */
export interface DroppedLine {
  readonly kind: 'dropped';
  readonly reason: 'replayed';
}

/** The second line of a packet that was logged twice on its way through the node; the first stands for it. */
export interface MergedLine {
  readonly kind: 'merged';
}

/** `last message repeated N times`: `line` once more, `line.count` times. */
export interface RepeatedLine {
  readonly kind: 'repeated';
  readonly line: FlowLine;
}

export const UNPARSABLE_REASONS = [
  'bad_address',
  'bad_field',
  'bad_json',
  'no_timestamp',
  'not_a_packet',
  'not_a_record',
  'too_long',
  'truncated',
] as const;
export type UnparsableReason = (typeof UNPARSABLE_REASONS)[number];

/** Reads the lines of one file, in order. Synchronous and pure but for what it remembers of earlier lines. */
export interface LineParser {
  /**
   * @param bytes the reader's buffer; the line is `bytes[start, end)`, without its newline or CR
   * @param nowUs the time of reading, for what a timestamp leaves out (its year)
   */
  parse(bytes: Buffer, start: number, end: number, nowUs: number): ParsedLine;
  /** The reader passed over at least one line that holds none of the format's needles. */
  passedOver(): void;
  /** The bytes of the lines so far are about to be written over: what later lines need of them must be kept. */
  settle?(): void;
  /** What must outlive the process for the file's next line to parse the same; small, JSON-able. */
  save(): unknown;
}

/** One input's format: makes the parser of each of its files, and holds what its files share. */
export interface Format {
  readonly name: string;
  /**
   * A line that holds none of these is foreign, so a reader need not look at it. Empty: look at every line.
   * ASCII.
   */
  readonly needles: readonly string[];
  /**
   * What a line without needle may hold instead, if it comes directly after a line that was handed over; anywhere
   * else it is foreign as well. So a reader looks for these only there. ASCII; absent: nothing.
   */
  readonly sequels?: readonly string[];
  /** @param saved what `save` of the same file's parser gave, or undefined */
  open(saved?: unknown): LineParser;
  /** What the input's files share and must outlive the process (boot anchors, replay memory). */
  save(): unknown;
  restore(saved: unknown): void;
}
