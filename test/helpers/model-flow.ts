import { headOf } from '../../agent/stages/open-window.ts';
import type { Enricher, FlowLine, Kin } from '../../parsers/line.ts';
import type { Disposition, FlowRecord, MergeFields } from '../../parsers/record.ts';

/** What a made-up line says. */
export interface Flow {
  timeUs: number;
  disposition?: Disposition;
  timeDigits?: number;
  src?: string;
  dest?: string;
  srcPort?: number;
  destPort?: number;
  protocol?: string;
  direction?: 'ingress' | 'egress';
  prefix?: string;
  count?: number;
  packets?: number;
  bytes?: number;
  /** How the line is written; two spellings of one connection have different raw keys. */
  spelling?: string;
  /** More of the record: names, policies, packet. */
  extra?: Partial<FlowRecord>;
}

const KINS_MAX = 30;

/**
 * A line in its parser's own words, with the key semantics that the contract asks for: one view that is used
 * again for every line, and a key that holds everything but time, source port and counters.
 */
export class FlowView implements FlowLine {
  readonly kind = 'flow';
  #flow: Flow = { timeUs: 0 };
  #key = Buffer.alloc(0);
  #hash = 0;
  /** By key, the lines that are recognized, until all are forgotten. */
  readonly #kins = new Map<string, Kin>();
  #kin: Kin | undefined;
  /** Lines of which more was asked than their raw key, so that tests can see what a merge costs; and those of them that
   * were made into records. */
  decoded = 0;
  recorded = 0;

  /** Moves the view to another line; what was read from the last one no longer holds. */
  of(flow: Flow): FlowView {
    this.#flow = flow;
    const {
      timeUs: _,
      srcPort: __,
      count: ___,
      packets: ____,
      bytes: _____,
      timeDigits: ______,
      ...key
    } = flow;
    this.#key = Buffer.from(JSON.stringify(Object.entries(key).sort()));
    let hash = 0x811c9dc5;
    for (const byte of this.#key) hash = Math.imul(hash ^ byte, 0x01000193);
    this.#hash = hash;
    const name = this.#key.toString('latin1');
    this.#kin = this.#kins.get(name);
    if (this.#kins.size === KINS_MAX) this.#kins.clear();
    if (this.#kin === undefined) this.#kins.set(name, { known: undefined });
    return this;
  }

  get disposition(): Disposition {
    return this.#flow.disposition ?? 'deny';
  }
  get timeUs(): number {
    return this.#flow.timeUs;
  }
  get timeDigits(): number {
    return this.#flow.timeDigits ?? 6;
  }
  get count(): number {
    return this.#flow.count ?? 1;
  }
  get packets(): number {
    return this.#flow.packets ?? 0;
  }
  get bytes(): number {
    return this.#flow.bytes ?? 0;
  }
  get srcPort(): number {
    return this.#flow.srcPort ?? -1;
  }
  keyHash(): number {
    return this.#hash;
  }
  keyEquals(key: Uint8Array): boolean {
    return Buffer.compare(this.#key, key) === 0;
  }
  copyKey(): Uint8Array {
    return Uint8Array.from(this.#key);
  }
  get kin(): Kin | undefined {
    return this.#kin;
  }

  timestamp(): string {
    const { timeUs, timeDigits = 6 } = this.#flow;
    const micros = String(timeUs % 1_000_000).padStart(6, '0');
    const fraction = micros.padEnd(timeDigits, '7').slice(0, timeDigits);
    const seconds = new Date(Math.floor(timeUs / 1_000_000) * 1000).toISOString().slice(0, 19);
    return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
  }

  toRecord(id: string): FlowRecord {
    this.decoded += 1;
    this.recorded += 1;
    return this.#record(id);
  }

  writeOpening(id: Buffer, out: Buffer, at: number, enricher: Enricher): number {
    const record = this.#record(id.toString('latin1'));
    enricher.enrich(record, this.timeUs);
    const head = Buffer.from(headOf(record));
    return at + head.length > out.length ? -1 : at + head.copy(out, at);
  }

  mergeFields(): MergeFields {
    this.decoded += 1;
    return this.#record('');
  }

  #record(id: string): FlowRecord {
    const flow = this.#flow;
    return {
      id,
      connection: {
        src_ip: flow.src ?? '10.0.0.1',
        ...(flow.srcPort === undefined ? {} : { src_port: flow.srcPort }),
        dest_ip: flow.dest ?? '10.0.0.2',
        ...(flow.destPort === undefined ? {} : { dest_port: flow.destPort }),
        protocol: flow.protocol ?? 'tcp',
        ...(flow.direction === undefined ? {} : { direction: flow.direction }),
      },
      disposition: this.disposition,
      src: {},
      dest: {},
      count: this.count,
      timestamp: this.timestamp(),
      ...(flow.prefix === undefined ? {} : { prefix: flow.prefix }),
      source: { input: 'syslog', format: 'syslog' },
      ...structuredClone(flow.extra),
    };
  }
}
