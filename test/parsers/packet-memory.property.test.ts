import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Enricher, FlowLine, LineParser } from '../../parsers/line.ts';
import { syslogFormat } from '../../parsers/syslog.ts';
import { loggedPacket } from '../helpers/netfilter-arbitrary.ts';

/** A parser that has read other lines must read a line as one that has read none. */

const RUNS = Number(process.env.PROPERTY_RUNS ?? 500);
const NOW_US = Date.UTC(2026, 10, 22) * 1000;
const HEAD = '2026-11-21T12:00:00.000001+00:00 node-1 kernel: ';
const KERNEL_LINE =
  'IN=cali0123456789a OUT=eth0 MAC=ee:ee:ee:ee:ee:ee:9c:5b:0c:ef:0b:16:08:00 SRC=10.244.3.12 DST=10.96.135.62 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=38381 DF PROTO=';

function openParser(): LineParser {
  return syslogFormat({
    input: 'syslog',
    node: 'node-1',
    prefixes: ['calico-packet', 'calico-allow'],
    dispositions: [{ prefix: 'calico-allow', disposition: 'allow' }],
    workloadInterfaces: ['cali', 'veth'],
    mergePair: 'none',
  }).open();
}

const enricher: Enricher = { networkOf: (address) => `net-${address.length}`, enrich: () => {} };
const other: Enricher = { networkOf: () => 'other', enrich: () => {} };
const named: Enricher = {
  networkOf: (address) => (address.length % 2 === 0 ? undefined : 'odd'),
  enrich: () => {},
  sideOf: (address, interfaceName, timeUs) =>
    address.length % 3 === 0
      ? undefined
      : JSON.stringify({ pod_name: interfaceName, at: timeUs % 10, ü: 'ü' }),
};

/** All that a parser says of a line. */
function reading(parser: LineParser, line: Buffer): unknown {
  // Behind the line stands what stands there in a file: other bytes.
  const bytes = Buffer.concat([Buffer.from('before\n'), line, Buffer.from('\nIN= OUT=eth0 ID=5 ')]);
  const parsed = parser.parse(bytes, 7, 7 + line.length, NOW_US);
  if (parsed.kind !== 'flow') return { ...parsed };
  const out = Buffer.alloc(65_536);
  const json = (by?: Enricher) => out.toString('utf8', 5, parsed.writeJson!(Buffer.from('id'), out, 5, by));
  const { disposition, timeUs, timeDigits, count, packets, srcPort } = parsed;
  return {
    ...{ disposition, timeUs, timeDigits, count, packets, srcPort, bytes: parsed.bytes },
    hash: parsed.keyHash(),
    key: Buffer.from(parsed.copyKey()).toString('latin1'),
    isItself: parsed.keyEquals(parsed.copyKey()),
    json: [json(enricher), json(enricher), json(), json(other), json(named)],
    record: parsed.toRecord('id'),
    fields: mergeFields(parsed),
    openings: [named, other, other].map((by) => opening(parsed, by, json(by))),
  };
}

/** What decides about merging; as the record has it. */
function mergeFields(line: FlowLine): unknown {
  const { connection, disposition, prefix } = line.toRecord('id');
  expect(line.mergeFields!()).toEqual({ connection, disposition, prefix });
  return line.mergeFields!();
}

/** What a window that the line opens begins with: the record but for what merging changes. */
function opening(line: FlowLine, by: Enricher, json: string): string {
  const { count, packets, bytes, ...rest } = JSON.parse(json);
  expect([count, packets, bytes]).toEqual([line.count, line.packets, line.bytes || undefined]);
  const out = Buffer.alloc(65_536);
  const written = out.toString('utf8', 3, line.writeOpening!(Buffer.from('id'), out, 3, by));
  expect(`${written}}`).toBe(JSON.stringify(rest));
  return written;
}

const packet = fc.oneof(
  loggedPacket.map(({ message }) => message),
  fc
    .constantFrom(
      'TCP SPT=40000 DPT=443 WINDOW=64240 RES=0x00 SYN URGP=0 ',
      'TCP SPT=40000 DPT=443 SEQ=1 ACK=0 WINDOW=64240 RES=0x00 SYN URGP=0 ',
      'UDP SPT=40000 DPT=53 LEN=40 ',
      'UDP SPT=40000 DPT=53 LEN=40 MARK=0x10000 ',
      'ICMP TYPE=8 CODE=0 ID=7 SEQ=1 ',
    )
    .map((rest) => `calico-packet: ${KERNEL_LINE}${rest}`),
);
const number = fc.oneof(
  fc.integer({ min: 0, max: 70_000 }).map(String),
  fc.constantFrom(
    '0',
    '00',
    '007',
    '65535',
    '65536',
    '4294967295',
    '9999999999',
    '10000000000',
    '',
    'x',
    '-1',
  ),
);
/** What is done to a line before it comes again. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('number' as const), at: fc.nat(), number }),
  fc.record({ kind: fc.constant('time' as const), at: fc.nat(9), number }),
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({
    kind: fc.constant('text' as const),
    at: fc.nat(),
    text: fc.constantFrom(' ', ' DF', ' ID=5', ' LEN=9', '[', 'IN=a OUT=b '),
  }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(message: string, one: Change): Buffer {
  const bytes = Buffer.from(HEAD + message);
  switch (one.kind) {
    case 'number': {
      const numbers = [...message.matchAll(/(?<=\b[A-Z]+=)\d+/g)];
      const found = numbers[one.at % numbers.length]!;
      const end = found.index + found[0].length;
      return Buffer.from(HEAD + message.slice(0, found.index) + one.number + message.slice(end));
    }
    case 'time':
      return Buffer.from(HEAD.replace('000001', `00000${one.at}`) + message);
    case 'byte':
      bytes[HEAD.length + (one.at % message.length)] = one.byte;
      return bytes;
    case 'cut':
      return bytes.subarray(0, HEAD.length + (one.at % message.length));
    case 'text': {
      const at = HEAD.length + (one.at % message.length);
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(one.text), bytes.subarray(at)]);
    }
  }
}

test('a line reads the same whatever like it was read before', () => {
  fc.assert(
    fc.property(
      fc.array(packet, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(2), change), { minLength: 1, maxLength: 12 }),
      (messages, changes) => {
        const parser = openParser();
        for (const [which, one] of changes) {
          const message = messages[which % messages.length]!;
          for (const line of [Buffer.from(HEAD + message), changed(message, one)]) {
            const text = line.toString('latin1');
            expect(reading(parser, line), text).toEqual(reading(openParser(), line));
          }
        }
      },
    ),
    { numRuns: RUNS },
  );
});

test('lines of many connections take the places of others and read the same', () => {
  const parser = openParser();
  for (let round = 0; round < 3; round++) {
    for (let k = 0; k < 20_000; k += 7) {
      const rest = `calico-packet: ${KERNEL_LINE}TCP SPT=${k} DPT=443 WINDOW=64240 RES=0x00 SYN URGP=0 `;
      const line = Buffer.from(HEAD + rest.replace('10.96.135.62', `10.96.${k >> 8}.${k & 255}`));
      const parsed = parser.parse(line, 0, line.length, NOW_US);
      if (parsed.kind !== 'flow') throw new Error(parsed.kind);
      expect(parsed.toRecord('').connection).toMatchObject({
        src_port: k,
        dest_ip: `10.96.${k >> 8}.${k & 255}`,
      });
    }
  }
});
