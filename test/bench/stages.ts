/** What a line costs in the stages, in CPU time: merged by its raw key, and opening a window. `node test/bench/stages.ts` */
import { aggregateSchema, enrichSchema, limitSchema, selectSchema } from '../../agent/config/schema.ts';
import { Pipeline } from '../../agent/pipeline.ts';
import type { FlowLine } from '../../parsers/line.ts';
import type { FlowRecord } from '../../parsers/record.ts';

/** A parsed line as cheap as can be: the bytes of its key lie in a buffer, and their hash is known. */
class BenchLine implements FlowLine {
  readonly kind = 'flow';
  readonly disposition = 'unknown';
  readonly timeDigits = 6;
  readonly count = 1;
  readonly packets = 1;
  readonly bytes = 60;
  timeUs = 1_700_000_000_000_000;
  srcPort = 0;
  at = 0;
  readonly #keys: Buffer;
  readonly #hashes: Int32Array;
  constructor(keys: number) {
    this.#keys = Buffer.alloc(
      keys * KEY_BYTES,
      'IN=cali12345678901 OUT=eth0 SRC=10.0.0.0 DST=10.96.0.0 PROTO=TCP ',
    );
    this.#hashes = new Int32Array(keys);
    for (let key = 0; key < keys; key += 1) {
      this.#keys.write(String(key), key * KEY_BYTES + 40);
      let hash = 0x811c9dc5;
      for (let at = key * KEY_BYTES; at < (key + 1) * KEY_BYTES; at += 1)
        hash = Math.imul(hash ^ this.#keys[at]!, 0x01000193);
      this.#hashes[key] = hash;
    }
  }
  keyHash(): number {
    return this.#hashes[this.at / KEY_BYTES]!;
  }
  keyEquals(key: Uint8Array): boolean {
    if (key.length !== KEY_BYTES) return false;
    for (let at = 0; at < KEY_BYTES; at += 1) if (key[at] !== this.#keys[this.at + at]) return false;
    return true;
  }
  copyKey(): Uint8Array {
    return Uint8Array.from(this.#keys.subarray(this.at, this.at + KEY_BYTES));
  }
  timestamp(): string {
    return '2023-11-14T22:13:20.000000Z';
  }
  toRecord(id: string): FlowRecord {
    return {
      id,
      connection: {
        src_ip: `10.0.${(this.at >> 8) & 255}.${this.at & 255}`,
        src_port: this.srcPort,
        dest_ip: `10.96.${this.at >> 16}.1`,
        dest_port: 443,
        protocol: 'tcp',
        direction: 'egress',
      },
      disposition: 'unknown',
      src: {},
      dest: {},
      count: 1,
      timestamp: this.timestamp(),
      prefix: 'calico-packet',
      packet: {
        in: 'cali12345678901',
        out: 'eth0',
        ttl: 63,
        tos: '0x00',
        id: 54321,
        window: 64240,
        syn: true,
      },
      source: { input: 'syslog', format: 'syslog' },
    };
  }
}

const KEY_BYTES = 64;

function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

function stages(keysMax: number): Pipeline {
  return new Pipeline(
    {
      select: selectSchema.parse({}),
      limit: limitSchema.parse({ connections_per_second: 0 }),
      aggregate: aggregateSchema.parse({ keys_max: keysMax }),
      enrich: enrichSchema.parse({}),
    },
    { record: () => {}, window: () => {}, line: () => {}, summary: () => {} },
  );
}

/** @param usBetween event time that goes on with each line */
function measure(what: string, keys: number, lines: number, usBetween: number): void {
  const line = new BenchLine(keys);
  const input = stages(keys + 1).input('bench');
  const tally = new Map<string, number>();
  for (const isWarm of [false, true]) {
    const startNs = cpuNs();
    for (let index = 0; index < lines; index += 1) {
      line.at = (index % keys) * KEY_BYTES;
      line.srcPort = 30_000 + (index & 0x3fff);
      line.timeUs += usBetween;
      const { kind } = input.process(line, () => Buffer.from(`id-${index}`));
      if (isWarm) tally.set(kind, (tally.get(kind) ?? 0) + 1);
    }
    const ns = (cpuNs() - startNs) / lines;
    if (!isWarm) continue;
    const classes = [...tally].map(([kind, n]) => `${kind} ${((100 * n) / lines).toFixed(1)} %`).join(', ');
    console.log(`${what.padEnd(40)} ${ns.toFixed(0).padStart(6)} ns/line (${classes})`);
  }
}

measure('merging, 100 keys', 100, 3_000_000, 1);
measure('merging, 3,000 keys', 3_000, 3_000_000, 1);
measure('merging, 100,000 keys', 100_000, 3_000_000, 1);
measure('opening, every line, 3,000 keys', 3_000, 300_000, 1700);
measure('opening, every line, 100,000 keys', 100_000, 300_000, 51);
