import type { FlowLine } from '../../parsers/line.ts';
import type { FlowRecord } from '../../parsers/record.ts';
import { formatRfc3339 } from '../../parsers/time.ts';
import type { WindowRow } from '../outbox/types.ts';

/** What a window's row keeps beside the record; an array, for it is written again at every change. */
type State = [
  input: string,
  order: number,
  firstUs: number,
  lastUs: number,
  lastDigits: number,
  lastText: string,
  lines: number,
  count: number,
  packets: number,
  bytes: number,
  srcPorts: number[],
];

/**
 * One open window: the record of the connection that opened it, and what has merged into it since.
 *
 * The record is kept as JSON without its closing brace and without what merging changes: so it is made once,
 * stored as it is, and completed when the window closes. Merging allocates nothing, but for the text of a
 * time with more than six digits.
 */
export class OpenWindow {
  readonly id: string;
  readonly key: string;
  readonly input: string;
  /** Place in the order of opening, over all restarts. */
  readonly order: number;
  readonly firstUs: number;
  open = true;
  /** Changed since its row was last taken. */
  dirty = false;
  /** A row of it has been taken. */
  stored = false;
  /** When the clock may close it although its events are stamped later; set when the clock first sees it. */
  futureEndUs = 0;

  #head: string;
  #lastUs: number;
  #lastDigits = 0;
  #lastText = '';
  #lines = 0;
  #count = 0;
  #packets = 0;
  #bytes = 0;
  #srcPorts: number[] = [];

  /** @param record what the opening line says; its line is merged afterwards, as every other */
  constructor(input: string, order: number, key: string, firstUs: number, record: FlowRecord) {
    this.id = record.id;
    this.key = key;
    this.input = input;
    this.order = order;
    this.firstUs = firstUs;
    this.#lastUs = firstUs;
    const head = JSON.stringify({ ...record, count: undefined, packets: undefined, bytes: undefined });
    this.#head = head.slice(0, -1);
  }

  merge(line: FlowLine, srcPortsMax: number): void {
    const { timeUs, srcPort } = line;
    this.#lines += 1;
    this.#count += line.count;
    this.#packets += line.packets;
    this.#bytes += line.bytes;
    if (timeUs >= this.#lastUs) {
      this.#lastUs = timeUs;
      this.#lastDigits = line.timeDigits;
      if (line.timeDigits > 6) this.#lastText = line.timestamp();
    }
    const ports = this.#srcPorts;
    if (srcPort >= 0 && ports.length < srcPortsMax && !ports.includes(srcPort)) ports.push(srcPort);
  }

  /** Whether an event at this time is less than a window's length from the first one's, on either side. */
  reaches(timeUs: number, windowUs: number): boolean {
    const sinceFirstUs = timeUs - this.firstUs;
    return sinceFirstUs < windowUs && sinceFirstUs > -windowUs;
  }

  /** The record's JSON. Last time and ports are there only where more than one line has merged. */
  toJson(): string {
    let json = `${this.#head},"count":${this.#count}`;
    if (this.#packets > 0) json += `,"packets":${this.#packets}`;
    if (this.#bytes > 0) json += `,"bytes":${this.#bytes}`;
    if (this.#lines > 1) {
      const last = this.#lastDigits > 6 ? this.#lastText : formatRfc3339(this.#lastUs, this.#lastDigits);
      json += `,"last_timestamp":"${last}"`;
      if (this.#srcPorts.length > 0) json += `,"src_ports":[${this.#srcPorts.join(',')}]`;
    }
    return `${json}}`;
  }

  close(): void {
    this.open = false;
    this.#head = '';
  }

  toRow(): WindowRow {
    const state: State = [
      this.input,
      this.order,
      this.firstUs,
      this.#lastUs,
      this.#lastDigits,
      this.#lastDigits > 6 ? this.#lastText : '',
      this.#lines,
      this.#count,
      this.#packets,
      this.#bytes,
      this.#srcPorts,
    ];
    return { key: this.id, json: `{"state":${JSON.stringify(state)},"record":${this.#head}}}` };
  }

  /** @param keyOf the merge key of a record, as it is configured now */
  static fromRow(row: WindowRow, keyOf: (record: FlowRecord) => string): OpenWindow {
    const { state, record } = JSON.parse(row.json) as { state: State; record: FlowRecord };
    const window = new OpenWindow(state[0], state[1], keyOf(record), state[2], record);
    [, , , window.#lastUs, window.#lastDigits, window.#lastText] = state;
    [, , , , , , window.#lines, window.#count, window.#packets, window.#bytes, window.#srcPorts] = state;
    window.stored = true;
    return window;
  }
}
