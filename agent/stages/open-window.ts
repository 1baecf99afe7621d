import { ByteWriter, pieceOf } from '../../parsers/byte-writer.ts';
import type { FlowLine } from '../../parsers/line.ts';
import type { FlowRecord } from '../../parsers/record.ts';
import type { WindowRow } from '../outbox/types.ts';
import type { Holds } from './enrich.ts';
import { Head, type Heads } from './heads.ts';

/** What a window's row keeps of its opening beside the record. */
type Opening = [input: string, firstUs: number];

/** What merging changes. */
type State = [
  lastUs: number,
  lastDigits: number,
  lines: number,
  count: number,
  packets: number,
  bytes: number,
  lastText: string,
  srcPorts: number[],
];

/** One for all windows: a record is written in one go. */
const writer = new ByteWriter();
const COUNT = pieceOf(',"count":');
const PACKETS = pieceOf(',"packets":');
const BYTES = pieceOf(',"bytes":');
const LAST_TIMESTAMP = pieceOf(',"last_timestamp":"');
const SRC_PORTS = pieceOf('","src_ports":[');
const QUOTE = 0x22;
const COMMA = 0x2c;
const BRACKET_CLOSE = 0x5d;
const BRACE_CLOSE = 0x7d;
/** What follows a head takes at most, but for ports. */
const STATE_BYTES_MAX = 256;
const PORT_BYTES_MAX = 6;
const NO_PORT = -1;

/** The windows of one input. */
export interface WindowOwner {
  readonly input: string;
  /** Where the heads of its windows are. */
  readonly heads: Heads;
  /** A window to restore into. */
  anew(key: string): OpenWindow;
}

/**
 * The window of one key: open, with the record of the connection that opened it and what has merged into it since; or
 * closed, until the key's next connection opens it anew. Used again, for many connections are denied again and again.
 *
 * The record is kept as JSON without its closing brace and without what merging changes: so it is made once,
 * stored as it is, and completed when the window closes. Merging allocates nothing, but for the text of a
 * time with more than six digits.
 */
export class OpenWindow {
  // First what merging needs, so that it lies close together.
  readonly owner: WindowOwner;
  open = false;
  /** Changed since its row was last taken. */
  dirty = false;
  /** When the first event was; not a number at first, so that it is never kept as a small one. */
  firstUs = Number.NaN;
  #holds: Holds | undefined;
  #lines = 0;
  #count = 0;
  #packets = 0;
  #bytes = 0;
  /** The latest event's time, in microseconds from the first one's: most windows are so short that it is a small number. */
  #lastAfterUs = 0;
  #lastDigits = 0;
  #lastPort = NO_PORT;
  #portCount = 0;

  readonly key: string;
  /** While it is open, its neighbours in the order of opening. */
  older: OpenWindow | undefined;
  newer: OpenWindow | undefined;
  /** Another one stands for its key. */
  isForgotten = false;
  /** Place in the order of opening, over all restarts. */
  order = 0;
  /** A row of it has been taken. */
  stored = false;
  /** When the clock may close it although its events are stamped later; set when the clock first sees it. */
  futureEndUs = 0;
  /** Of the opening line's record; written before it opens, and released when it closes. */
  readonly head = new Head();
  /** What its row keeps for good, once a row was made. */
  #opened = '';
  #lastText = '';
  /** The first `#portCount` of these. */
  #srcPorts: number[] = [];

  constructor(owner: WindowOwner, key: string) {
    this.owner = owner;
    this.key = key;
  }

  /**
   * Opens it. The line that opens it is merged afterwards, as every other.
   * @param holds at which times the names in its head are right; undefined: always
   */
  openAt(firstUs: number, order: number, holds: Holds | undefined): void {
    this.open = true;
    this.firstUs = firstUs;
    this.order = order;
    this.#holds = holds;
    this.#lines = this.#count = this.#packets = this.#bytes = 0;
    this.#lastAfterUs = this.#lastDigits = this.#portCount = 0;
    this.#lastPort = NO_PORT;
    this.stored = false;
    this.futureEndUs = 0;
  }

  merge(line: FlowLine, srcPortsMax: number): void {
    const { timeUs, srcPort } = line;
    this.#lines += 1;
    this.#count += line.count;
    this.#packets += line.packets;
    this.#bytes += line.bytes;
    const afterUs = timeUs - this.firstUs;
    if (afterUs >= this.#lastAfterUs) {
      this.#lastAfterUs = afterUs;
      this.#lastDigits = line.timeDigits;
      if (line.timeDigits > 6) this.#lastText = line.timestamp();
    }
    // Most often a connection is tried again, from its own port.
    if (srcPort === this.#lastPort) return;
    this.#lastPort = srcPort;
    if (srcPort >= 0 && this.#portCount < srcPortsMax) this.#notePort(srcPort);
  }

  #notePort(port: number): void {
    const ports = this.#srcPorts;
    for (let index = 0; index < this.#portCount; index += 1) if (ports[index] === port) return;
    ports[this.#portCount] = port;
    this.#portCount += 1;
  }

  /** Whether an event at this time is less than a window's length from the first one's, on either side. */
  reaches(timeUs: number, windowUs: number): boolean {
    const sinceFirstUs = timeUs - this.firstUs;
    return sinceFirstUs < windowUs && sinceFirstUs > -windowUs;
  }

  /** Whether the record can stand for an event at this time as well. */
  takes(timeUs: number, windowUs: number): boolean {
    return this.reaches(timeUs, windowUs) && (this.#holds === undefined || this.#holds(timeUs));
  }

  /** What `writeJson` takes at most. */
  get jsonBytesMax(): number {
    return this.head.length + STATE_BYTES_MAX + this.#portCount * PORT_BYTES_MAX;
  }

  /**
   * Writes the record's JSON to `out` from `at` on, where there must be room. Last time and ports are there only where
   * more than one line has merged.
   * @returns where it ends
   */
  writeJson(out: Buffer, at: number): number {
    const { view, start, end } = this.head;
    writer.open(out, at);
    writer.words(view, start, end);
    writer.piece(COUNT);
    writer.number(this.#count);
    if (this.#packets > 0) {
      writer.piece(PACKETS);
      writer.number(this.#packets);
    }
    if (this.#bytes > 0) {
      writer.piece(BYTES);
      writer.number(this.#bytes);
    }
    if (this.#lines > 1) {
      writer.piece(LAST_TIMESTAMP);
      if (this.#lastDigits > 6) writer.ascii(this.#lastText);
      else writer.time(this.#lastUs, this.#lastDigits);
      this.#writePorts();
    }
    writer.byte(BRACE_CLOSE);
    return writer.at;
  }

  #writePorts(): void {
    const ports = this.#srcPorts;
    if (this.#portCount === 0) {
      writer.byte(QUOTE);
      return;
    }
    writer.piece(SRC_PORTS);
    for (let index = 0; index < this.#portCount; index += 1) {
      if (index > 0) writer.byte(COMMA);
      writer.number(ports[index]!);
    }
    writer.byte(BRACKET_CLOSE);
  }

  close(): void {
    this.open = false;
    this.head.release();
    this.#opened = '';
  }

  toRow(): WindowRow {
    if (this.#opened === '') this.#opened = `{"opening":${this.#opening},"record":${this.head}}}`;
    // By hand, for it is made again at every change. A time's text needs no escapes.
    const text = this.#lastDigits > 6 ? this.#lastText : '';
    const ports = this.#srcPorts.slice(0, this.#portCount).join(',');
    const counts = `${this.#lines},${this.#count},${this.#packets},${this.#bytes}`;
    return {
      key: this.order,
      opened: this.#opened,
      state: `[${this.#lastUs},${this.#lastDigits},${counts},"${text}",[${ports}]]`,
    };
  }

  get #lastUs(): number {
    return this.firstUs + this.#lastAfterUs;
  }

  get #opening(): string {
    return `[${JSON.stringify(this.owner.input)},${this.firstUs}]`;
  }

  /**
   * @param keyOf the merge key of a record, as it is configured now
   * @param ownerOf whose the windows of an input are
   */
  static fromRow(
    { key, opened, state }: WindowRow,
    keyOf: (record: FlowRecord) => string,
    ownerOf: (input: string) => WindowOwner,
  ): OpenWindow {
    const { opening, record } = JSON.parse(opened) as { opening: Opening; record: FlowRecord };
    const [input, firstUs] = opening;
    const owner = ownerOf(input);
    const window = owner.anew(keyOf(record));
    owner.heads.ofText(window.head, headOf(record));
    window.openAt(firstUs, key, undefined);
    const saved = JSON.parse(state) as State;
    [, window.#lastDigits, window.#lines, window.#count] = saved;
    window.#lastAfterUs = saved[0] - firstUs;
    [, , , , window.#packets, window.#bytes, window.#lastText, window.#srcPorts] = saved;
    window.#portCount = window.#srcPorts.length;
    window.stored = true;
    return window;
  }
}

/** A record's JSON without its closing brace and what merging changes. */
export function headOf(record: FlowRecord): string {
  return JSON.stringify({ ...record, count: undefined, packets: undefined, bytes: undefined }).slice(0, -1);
}
