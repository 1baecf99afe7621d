import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalIp } from '../../parsers/ip.ts';
import type { Enricher, ParsedLine } from '../../parsers/line.ts';
import { policyActionFormat } from '../../parsers/policy-action.ts';
import type { FlowRecord } from '../../parsers/record.ts';
import { furtherMembers, policyAction, writeJsonText } from '../helpers/policy-action-arbitrary.ts';
import { readPolicyActionPlainly } from '../helpers/policy-action-reference.ts';
import { Random } from '../helpers/random.ts';

const INPUT = 'gke';
const NODE = 'node-of-the-agent';
const ID = '0123456789abcdef';
const RUNS = 3000;
const parser = policyActionFormat({ input: INPUT, node: NODE, dispositions: [] }).open();
const out = Buffer.alloc(1 << 16);

/** Calls addresses by their last digit, and knows no network of some. */
const enricher: Enricher = {
  networkOf: (address) => (address.endsWith('1') ? undefined : `"net" ${address.slice(-1)}`),
  enrich({ connection, src, dest }) {
    for (const [side, ip] of [
      [src, connection.src_ip],
      [dest, connection.dest_ip],
    ] as const) {
      const isNamed = [side.pod_name, side.node_name, side.workload_name].some((name) => name !== undefined);
      if (side.instance === undefined && isNamed) continue;
      side.instance ??= ip!;
      const network = enricher.networkOf(side.instance);
      if (side.network === undefined && network !== undefined) side.network = network;
    }
  },
};

function parse(line: Buffer): ParsedLine {
  const bytes = Buffer.concat([Buffer.from('"}'), line, Buffer.from('"}')]);
  return parser.parse(bytes, 2, line.length + 2, 0);
}

/** Holds the scanner to the plain reading of the same line. */
function compare(line: Buffer): string {
  const plain = readPolicyActionPlainly(line.toString(), INPUT, NODE);
  const parsed = parse(line);
  if (line.length === 0) {
    expect(parsed.kind).toBe('foreign');
    return 'foreign';
  }
  if (plain.reason !== undefined) {
    expect(parsed.kind, line.toString()).toBe('unparsable');
    const reason =
      parsed.kind === 'unparsable' && parsed.reason === 'truncated'
        ? 'bad_json'
        : 'reason' in parsed && parsed.reason;
    if (plain.reason !== 'repeated') expect(reason, line.toString()).toBe(plain.reason);
    return plain.reason;
  }
  if (parsed.kind !== 'flow') throw new Error(`${JSON.stringify(parsed)} for ${line}`);
  const json = JSON.stringify(parsed.toRecord(ID));
  expect(JSON.stringify(JSON.parse(json))).toBe(JSON.stringify({ ...plain.record, id: ID }));
  const end = parsed.writeJson!(Buffer.from(ID), out, 3);
  expect(out.toString('utf8', 3, end)).toBe(json);
  const record = parsed.toRecord(ID);
  enricher.enrich(record, parsed.timeUs);
  const enrichedEnd = parsed.writeJson!(Buffer.from(ID), out, 3, enricher);
  expect(out.toString('utf8', 3, enrichedEnd)).toBe(JSON.stringify(record));
  expect(parsed.timeUs).toBe(plain.timeUs);
  expect(parsed.timeDigits).toBe(plain.digits);
  expect(parsed.count).toBe(plain.record.count);
  expect(parsed.disposition).toBe(plain.record.disposition);
  expect(parsed.srcPort).toBe((plain.record.connection as { src_port?: number }).src_port ?? -1);
  expect(parsed.keyEquals(parsed.copyKey())).toBe(true);
  return 'flow';
}

const written = fc
  .tuple(policyAction, furtherMembers, fc.constantFrom(0, 0, 0.3), fc.constantFrom(0, 0, 0.05), fc.nat())
  .map(([{ members }, further, space, escapes, seed]) => {
    const random = new Random(seed);
    const all = { members: [...members, ...further] };
    return writeJsonText(
      all,
      () => random.unit() < space,
      () => random.unit() < escapes,
    );
  });

test('a line in any order and spacing is read as by JSON.parse', () => {
  const outcomes: Record<string, number> = {};
  fc.assert(
    fc.property(written, (text) => {
      const outcome = compare(Buffer.from(text));
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }),
    { numRuns: RUNS },
  );
  console.log('policy_action lines generated:', outcomes);
  expect(outcomes.flow).toBeGreaterThan(RUNS / 2);
});

test('a line cut anywhere is truncated', () => {
  const line = Buffer.from(MODELS[0]!);
  for (let length = 1; length < line.length; length++) {
    expect(parse(line.subarray(0, length))).toEqual({ kind: 'unparsable', reason: 'truncated' });
  }
});

test('no mutation throws, or makes an address or a port that the line has not', () => {
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
  const random = new Random(seed);
  const outcomes: Record<string, number> = {};
  const began = performance.now();
  for (let n = 0; n < MUTATED_LINES; n++) {
    const line = mutate(Buffer.from(random.pick(MODELS)), random);
    let outcome: string;
    if (n % COMPARED_EACH === 0) outcome = compare(line);
    else {
      const parsed = parse(line);
      outcome = parsed.kind === 'unparsable' ? parsed.reason : parsed.kind;
      if (parsed.kind === 'flow') expectFromLine(parsed.toRecord(ID), line.toString());
    }
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`policy_action fuzz: ${MUTATED_LINES} lines in ${seconds} s, FUZZ_SEED=${seed}`, outcomes);
  expect(outcomes.flow).toBeGreaterThan(0);
});

const MUTATED_LINES = 300_000;
const COMPARED_EACH = 10;
const MODELS = [
  '{"connection":{"src_ip":"10.84.0.252","dest_ip":"10.84.0.165","src_port":52648,"dest_port":8080,"protocol":"tcp","direction":"ingress"},"disposition":"allow","policies":[{"name":"allow-green","namespace":"default"}],"src":{"pod_name":"client-green-7b78d7c957-68mv4","pod_namespace":"default","namespace":"default","workload_name":"client-green-7b78d7c957","workload_kind":"ReplicaSet"},"dest":{"instance":"10.84.0.165"},"count":1,"node_name":"gke-demo-default-pool-5dad52ed-k0h1","timestamp":"2020-06-16T03:10:37.993712906Z"}',
  '{"connection":{"src_ip":"2001:db8::1","dest_ip":"fd00:0:0:0::2","protocol":"icmp","direction":"egress"},"disposition":"deny","src":{"node_name":"n","workload_kind":"Node"},"dest":{},"count":12,"node_name":"n","x":[1.5,{"y":null}],"timestamp":"2021-04-01T12:42:32.1898720941Z"}',
  ' { "timestamp" : "2021-04-01T12:42:32+02:00", "count" : 3 , "disposition":"deny","connection":{"dest_port":53,"src_port":1,"protocol":"\\u0075dp","src_ip":"1.2.3.4","dest_ip":"5.6.7.8"} } ',
];
const ALPHABET = Buffer.from(
  '{}[]":,\\0123456789eE+-.tfnu \t\n\0"connection"null1.2.3.4::ffff\xff\x80',
  'latin1',
);

/** One to three of: a byte changed, a byte put in, a piece cut out, doubled, or moved; the line cut short. */
function mutate(line: Buffer, random: Random): Buffer {
  let bytes = line;
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(bytes.length + 1);
    const to = Math.min(bytes.length, at + 1 + random.below(random.below(4) === 0 ? 80 : 4));
    const [head, piece, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
    const letter = Buffer.of(random.below(3) === 0 ? random.below(256) : random.pick([...ALPHABET]));
    const parts = random.pick([
      [head, letter, bytes.subarray(at + 1)],
      [head, letter, bytes.subarray(at)],
      [head, tail],
      [head, piece, piece, tail],
      [tail, piece, head],
      [head],
    ]);
    bytes = Buffer.concat(parts);
  }
  return bytes;
}

function expectFromLine({ connection }: FlowRecord, line: string): void {
  const decoded = /\\u/.test(line) ? JSON.stringify(JSON.parse(line)) : line;
  for (const ip of [connection.src_ip!, connection.dest_ip!]) {
    const found = ip.includes(':')
      ? [...decoded.matchAll(/[0-9a-fA-F:.]+/g)].some(([text]) => canonicalIp(text) === ip)
      : decoded.includes(`"${ip}"`);
    if (!found) throw new Error(`${ip} is not in ${line}`);
  }
  for (const [name, port] of [
    ['src_port', connection.src_port],
    ['dest_port', connection.dest_port],
  ] as const) {
    if (port !== undefined && !new RegExp(`"${name}"\\s*:\\s*${port}\\b`).test(decoded))
      throw new Error(`${name} ${port} is not in ${line}`);
  }
}
