import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowLine, ParsedLine } from '../../parsers/line.ts';
import type { FlowRecord } from '../../parsers/record.ts';
import { syslogFormat } from '../../parsers/syslog.ts';
import { type LoggedPacket, loggedPacket } from '../helpers/netfilter-arbitrary.ts';
import { referenceReading } from '../helpers/netfilter-reference.ts';
import { Random } from '../helpers/random.ts';

const RUNS = Number(process.env.PROPERTY_RUNS ?? 500);
const FUZZ_LINES = Number(process.env.FUZZ_LINES ?? 1_000_000);
const NOW_US = Date.UTC(2026, 10, 22) * 1000;
const HEAD = '2026-11-21T12:00:00.000001+00:00 node-1 kernel: ';

function openParser() {
  return syslogFormat({
    input: 'syslog',
    node: 'node-1',
    prefixes: ['calico-packet'],
    dispositions: [],
    workloadInterfaces: ['cali', 'veth'],
    mergePair: 'none',
  }).open();
}

function parse(line: string | Buffer, parser = openParser()): ParsedLine {
  const bytes = Buffer.from(line);
  return parser.parse(bytes, 0, bytes.length, NOW_US);
}

function recordOf(parsed: ParsedLine): FlowRecord | undefined {
  return parsed.kind === 'flow' ? parsed.toRecord('id') : undefined;
}

function jsonOf(flow: FlowLine): string {
  const out = Buffer.alloc(65_536);
  return out.toString('utf8', 0, flow.writeJson!(Buffer.from('id'), out, 0));
}

/** Nothing that a connection says may be anywhere but in the line. */
function saysOnlyWhatStands(record: FlowRecord, line: string): void {
  const { src_ip, dest_ip, src_port, dest_port } = record.connection;
  const expanded = line.toLowerCase();
  for (const address of [src_ip!, dest_ip!]) {
    if (!address.includes(':')) expect(line).toContain(address);
    else for (const group of address.split(':')) expect(expanded).toContain(group);
  }
  for (const port of [src_port, dest_port]) if (port !== undefined) expect(line).toContain(`=${port}`);
}

const logged = (check: (one: LoggedPacket) => void) =>
  fc.assert(fc.property(loggedPacket, check), { numRuns: RUNS });

describe('a packet that the kernel logs', () => {
  it('is enriched as it is written', () => {
    const networks = ['private', 'Büro "Nord"', undefined];
    const networkOf = (address: string) => networks[address.length % networks.length];
    logged(({ message }) => {
      const flow = parse(HEAD + message) as FlowLine;
      const record = flow.toRecord('id');
      for (const side of [record.src, record.dest]) {
        const network = networkOf(side.instance!);
        if (network !== undefined) side.network = network;
      }
      const out = Buffer.alloc(65_536);
      const enricher = { networkOf, enrich: () => {} };
      expect(
        JSON.parse(out.toString('utf8', 0, flow.writeJson!(Buffer.from('id'), out, 0, enricher))),
      ).toEqual(record);
    });
  });

  it('is read back as it was', () => {
    logged(({ message, connection, packet, prefix }) => {
      const record = recordOf(parse(HEAD + message))!;
      expect(record, message).toBeDefined();
      const { direction: _, ...rest } = record.connection;
      expect(rest).toEqual(connection);
      expect(record.packet).toEqual(packet);
      expect(record.prefix).toBe(prefix.trimEnd().replace(/:$/, ''));
    });
  });

  it('is read as the plain reading has it', () => {
    logged(({ message }) => {
      const record = recordOf(parse(HEAD + message))!;
      const reading = referenceReading(message)!;
      expect(record.connection).toEqual(reading.connection);
      expect(record.packet).toEqual(reading.packet);
    });
  });

  it('becomes JSON with each key once, as JSON.stringify writes it', () => {
    logged(({ message }) => {
      const json = jsonOf(parse(HEAD + message) as FlowLine);
      expect(JSON.stringify(JSON.parse(json))).toBe(json);
    });
  });

  it('has the same key as another only with the same connection, whatever else differs', () => {
    const parser = openParser();
    logged(({ message, connection }) => {
      const flow = parse(HEAD + message, parser) as FlowLine;
      const key = flow.copyKey();
      const hash = flow.keyHash();
      expect(flow.keyEquals(key)).toBe(true);
      const other = message
        .replace(/ SPT=\d+/, ' SPT=7')
        .replace(/ TTL=\d+/, ' TTL=9')
        .replace(/ ID=\d+/, ' ID=5');
      const again = parse(`2026-11-21T13:00:00+00:00 node-1 kernel: ${other}`, parser) as FlowLine;
      expect([again.keyEquals(key), again.keyHash()]).toEqual([true, hash]);
      if (connection.dest_port === undefined || connection.dest_port === 8) return;
      const elsewhere = parse(HEAD + message.replace(/ DPT=\d+/, ' DPT=8'), parser) as FlowLine;
      expect(elsewhere.keyEquals(key)).toBe(false);
    });
  });

  it('cut anywhere gives what stands before the cut, or a reason', () => {
    fc.assert(
      fc.property(loggedPacket, fc.double({ min: 0, max: 1, noNaN: true }), ({ message, connection }, at) => {
        const line = HEAD + message.slice(0, Math.floor(at * message.length));
        const record = recordOf(parse(line));
        if (!record) return;
        saysOnlyWhatStands(record, line);
        if (message.includes('OUT=y')) return;
        expect(record.connection.src_port).toBe(connection.src_port);
        expect(record.connection.dest_port).toBe(connection.dest_port);
        expect(record.connection.src_ip).toBe(connection.src_ip);
      }),
      { numRuns: RUNS },
    );
  });

  it('with any byte changed never gives an address or a port that is not in the line', () => {
    fc.assert(
      fc.property(loggedPacket, fc.nat(), fc.integer({ min: 0, max: 255 }), ({ message }, at, byte) => {
        const bytes = Buffer.from(HEAD + message);
        bytes[at % bytes.length] = byte;
        const parsed = parse(bytes);
        const record = recordOf(parsed);
        if (!record) return;
        saysOnlyWhatStands(record, bytes.toString('latin1'));
        const json = jsonOf(parsed as FlowLine);
        expect(JSON.stringify(JSON.parse(json))).toBe(json);
      }),
      { numRuns: 2 * RUNS },
    );
  });
});

it(`reads ${FUZZ_LINES} mutated lines without an exception`, () => {
  const folder = join(import.meta.dirname, '../fixtures/lines');
  const seeds = ['kernel-traditional.log', 'kernel-file-format.log', 'hand-derived.log'].flatMap((file) =>
    readFileSync(join(folder, file), 'latin1')
      .split('\n')
      .slice(0, -1)
      .map((line) => Buffer.from(line, 'latin1')),
  );
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1e9);
  const random = new Random(seed);
  const parser = openParser();
  const line = Buffer.alloc(8192);
  const out = Buffer.alloc(1 << 20);
  const outcomes: Record<string, number> = {};
  const startedMs = performance.now();
  for (let n = 0; n < FUZZ_LINES; n++) {
    const length = mutate(random, seeds, line);
    const parsed = parser.parse(line, 0, length, NOW_US);
    const outcome = 'reason' in parsed ? parsed.reason : parsed.kind;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (parsed.kind === 'flow' && parsed.writeJson!(Buffer.from('id'), out, 0) < 0)
      throw new Error('no room for a record');
    if (n % 1000 === 0 && parsed.kind === 'flow') JSON.parse(jsonOf(parsed));
  }
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(
    `${FUZZ_LINES} mutated lines in ${seconds.toFixed(1)} s, seed ${seed}: ${JSON.stringify(outcomes)}`,
  );
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(FUZZ_LINES);
  expect(Object.keys(outcomes)).toEqual(
    expect.arrayContaining(['flow', 'truncated', 'bad_field', 'bad_address']),
  );
});

/** Puts a seed into `line` with one to four of: a byte changed, a stretch cut out, doubled, or taken from another. */
function mutate(random: Random, seeds: readonly Buffer[], line: Buffer): number {
  const first = random.pick(seeds);
  first.copy(line);
  let length = first.length;
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(length || 1);
    const size = Math.min(random.below(40), length - at);
    switch (random.below(10)) {
      case 1:
        line.copyWithin(at, at + size, length);
        length -= size;
        break;
      case 2:
        if (length > 4000) break;
        line.copyWithin(at + size, at, length);
        length += size;
        break;
      case 3: {
        const other = random.pick(seeds);
        if (length > 4000) break;
        length = at + other.copy(line, at, random.below(other.length));
        break;
      }
      case 4:
        length = at;
        break;
      default:
        line[at] = random.below(256);
    }
  }
  return length;
}
