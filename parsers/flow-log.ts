import { flowLogRecord } from './flow-log-record.ts';
import { decodeJsonLine } from './json-decode.ts';
import type { FlowLine, Format, LineParser, ParsedLine, UnparsableReason } from './line.ts';
import { FOREIGN, REFUSED } from './parsed.ts';
import type { Disposition, FlowRecord } from './record.ts';

export interface FlowLogOptions {
  /** The input's name, for `source.input`. */
  input: string;
  /** Given as `node_name` where the line names no host; may be empty. */
  node: string;
}

/**
 * Calico Enterprise's flow logs, as text (24 fields) or as JSON lines; a file may hold both. They are
 * aggregated already and come once in minutes, so each line is simply decoded.
 */
export function flowLogFormat(options: FlowLogOptions): Format {
  return {
    name: 'flow_log',
    needles: [],
    open: () => new FlowLogParser(options),
    save: () => null,
    restore: () => {},
  };
}

class FlowLogParser implements LineParser {
  readonly #options: FlowLogOptions;

  constructor(options: FlowLogOptions) {
    this.#options = options;
  }

  parse(bytes: Buffer, start: number, end: number): ParsedLine {
    if (start === end) return FOREIGN;
    const members = bytes[start] === OPEN_BRACE ? readJson(bytes, start, end) : readText(bytes, start, end);
    const read = typeof members === 'string' ? members : flowLogRecord(members, this.#options);
    return typeof read === 'string' ? REFUSED[read] : new FlowLogLine(read);
  }

  passedOver(): void {}

  save(): null {
    return null;
  }
}

/** One flow log. Its key is all of its record but times, source port and counters. */
class FlowLogLine implements FlowLine {
  readonly kind = 'flow';
  readonly disposition: Disposition;
  readonly timeUs: number;
  readonly timeDigits = 0;
  readonly count: number;
  readonly packets: number;
  readonly bytes: number;
  readonly srcPort: number;
  readonly #record: FlowRecord;
  #key: Buffer | undefined;

  constructor(record: FlowRecord) {
    this.disposition = record.disposition;
    this.timeUs = Date.parse(record.timestamp) * 1000;
    this.count = record.count;
    this.packets = record.packets ?? 0;
    this.bytes = record.bytes ?? 0;
    this.srcPort = record.connection.src_port ?? -1;
    this.#record = record;
  }

  keyHash(): number {
    let hash = 0;
    for (const byte of this.copyKey()) hash = Math.imul(hash ^ byte, 0x01000193);
    return hash >>> 0;
  }

  keyEquals(key: Uint8Array): boolean {
    return Buffer.compare(this.copyKey(), key) === 0;
  }

  copyKey(): Uint8Array {
    const { connection, disposition, policies, src, dest, node_name } = this.#record;
    const { src_port: _, ...rest } = connection;
    this.#key ??= Buffer.from(JSON.stringify([rest, disposition, policies, src, dest, node_name]));
    return this.#key;
  }

  timestamp(): string {
    return this.#record.timestamp;
  }

  toRecord(id: string): FlowRecord {
    return { ...this.#record, id };
  }
}

function readJson(bytes: Buffer, start: number, end: number): Record<string, unknown> | UnparsableReason {
  const decoded = decodeJsonLine(bytes, start, end);
  return 'reason' in decoded ? decoded.reason : (decoded.value as Record<string, unknown>);
}

function readText(bytes: Buffer, start: number, end: number): Record<string, unknown> | UnparsableReason {
  const values = bytes.toString('utf8', start, end).trim().split(' ');
  if (values.length !== TEXT_FIELDS.length) return 'not_a_record';
  return Object.fromEntries(TEXT_FIELDS.map((name, index) => [name, values[index]]));
}

const OPEN_BRACE = 0x7b;
/** The fields of a text line in order, under the names of the JSON form. */
const TEXT_FIELDS = [
  ...['start_time', 'end_time'],
  ...['source_type', 'source_namespace', 'source_name', 'source_labels'],
  ...['dest_type', 'dest_namespace', 'dest_name', 'dest_labels'],
  ...['source_ip', 'dest_ip', 'proto', 'source_port', 'dest_port'],
  ...['num_flows', 'num_flows_started', 'num_flows_completed', 'reporter'],
  ...['packets_in', 'packets_out', 'bytes_in', 'bytes_out', 'action'],
];
