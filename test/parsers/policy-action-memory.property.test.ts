import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Enricher, LineParser } from '../../parsers/line.ts';
import { policyActionFormat } from '../../parsers/policy-action.ts';
import { policyAction, writeJsonText } from '../helpers/policy-action-arbitrary.ts';

/** A parser that has read other lines must read a line as one that has read none. */

const RUNS = Number(process.env.PROPERTY_RUNS ?? 300);
/** A shape is forgotten only after so many lines of other shapes. */
const SHAPES = 6000;

function openParser(): LineParser {
  const dispositions = [{ policy: 'watch', disposition: 'deny' as const }];
  return policyActionFormat({ input: 'gke', node: 'node-1', dispositions }).open();
}

const enricher: Enricher = { networkOf: (address) => `net "${address.length}"`, enrich: () => {} };
const named: Enricher = {
  networkOf: (address) => (address.length % 2 === 0 ? undefined : 'odd'),
  enrich: () => {},
  sideOf: (address, _interface, timeUs) =>
    address.length % 3 === 0 ? undefined : JSON.stringify({ pod_name: 'ü', at: timeUs % 10 }),
};

/** All that a parser says of a line. */
function reading(parser: LineParser, line: Buffer): unknown {
  // Behind the line stands what stands there in a file: other bytes.
  const bytes = Buffer.concat([Buffer.from('before\n'), line, Buffer.from('"}\n0"}],"count":1}')]);
  const parsed = parser.parse(bytes, 7, 7 + line.length, 0);
  if (parsed.kind !== 'flow') return { ...parsed };
  const out = Buffer.alloc(8192, 0xff);
  const json = (by?: Enricher) => {
    const end = parsed.writeJson!(Buffer.from('id'), out, 5, by);
    // What it says that it needs is all that it may use.
    expect(parsed.writeJson!(Buffer.from('id'), out.subarray(0, end - 1), 5, by)).toBe(-1);
    return out.toString('utf8', 5, end);
  };
  const { disposition, timeUs, timeDigits, count, packets, srcPort } = parsed;
  return {
    ...{ disposition, timeUs, timeDigits, count, packets, srcPort, bytes: parsed.bytes },
    timestamp: parsed.timestamp(),
    hash: parsed.keyHash(),
    key: Buffer.from(parsed.copyKey()).toString('latin1'),
    isItself: parsed.keyEquals(parsed.copyKey()),
    json: [json(enricher), json(), json(named), json(enricher)],
    record: parsed.toRecord('id'),
  };
}

const pod = {
  pod_name: 'client-green-7b78d7c957-68mv4',
  pod_namespace: 'default',
  namespace: 'default',
  workload_name: 'client-green-7b78d7c957',
  workload_kind: 'ReplicaSet',
};
const connection = {
  src_ip: '10.84.0.252',
  dest_ip: '10.84.0.165',
  src_port: 52648,
  dest_port: 8080,
  protocol: 'tcp',
  direction: 'ingress',
};
const end = { node_name: 'gke-demo-default-pool-5dad52ed-k0h1', timestamp: '2020-06-16T03:10:37.993712906Z' };
const policies = [{ name: 'allow-green', namespace: 'default' }, { name: 'watch' }];
const models = [
  {
    connection,
    disposition: 'allow',
    policies,
    src: pod,
    dest: { instance: '10.84.0.165' },
    count: 1,
    ...end,
  },
  { connection, disposition: 'allow', src: pod, dest: pod, count: 1, policies: [{ name: '' }], ...end },
  { connection, disposition: 'deny', src: { instance: '10.84.0.1' }, dest: pod, count: 12, ...end },
  { connection, disposition: 'unknown', policies, src: {}, dest: { namespace: 'n' }, count: 1, ...end },
  { ...end, x: 1, src: pod, count: 3, dest: pod, disposition: 'deny', connection },
].map((line) => JSON.stringify(line));
const model = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...models) },
  {
    weight: 1,
    arbitrary: policyAction.map((line) =>
      writeJsonText(
        line,
        () => false,
        () => false,
      ),
    ),
  },
);

const PLACES = {
  number: /(?<=":)\d+/g,
  address: /(?<="(?:src_ip|dest_ip|instance)":)"[^"]*"/g,
  time: /(?<="timestamp":)"[^"]*"/g,
  value: /(?<=[a-z]":)(?:"[^"]*"|\{[^{}]*\}|\[[^[\]]*\])/g,
  member: /"[a-z_]+":(?:"[^"]*"|\{[^{}]*\}|\d+)/g,
} as const;
const one = fc.constantFrom;
const REPLACEMENTS = {
  number: one('0', '00', '07', '1', '65535', '65536', '4294967295', '4294967296', '-1', '1.0', '1e2', 'null'),
  address: one('"1.2.3.4"', '"1.2.3.04"', '"::1"', '"0::1"', '"2001:db8::5"', '"1.2.3.4\\u0030"', '""', '7'),
  time: one(
    ...['"2020-06-16T03:10:38Z"', '"2020-06-16T03:10:38.1234567Z"', '"2020-06-16T03:10:60Z"'],
    ...['"2020-06-16t03:10:37.5Z"', '"2020-06-16T03:10:37+02:00"', '"2020-06-16T03:10:37,5Z"'],
    ...['"2020-06-16T03:10:37Z "', '"2020-13-16T03:10:37Z"', '"2020-06-16T03:10:37Z', '1'],
  ),
  value: one(
    ...[
      '{}',
      '[]',
      '""',
      '"deny"',
      'null',
      '{"pod_name":"a","resolved_by":"ip"}',
      '{"pod_name":"a","x":1.50}',
    ],
    ...[
      '{"pod_name":"a","pod_name":"b"}',
      '{"pod_name":1}',
      '[{"name":"watch"}]',
      '[{}]',
      '[1]',
      '[{"name":"é"}]',
    ],
    ...['{"instance":"1.2.3.4"}', '{"instance":"1.2.3.4","network":"n"}', JSON.stringify(pod).slice(0, -1)],
    ...[
      JSON.stringify(pod),
      JSON.stringify({ ...pod, resolved_by: 'upstream' }),
      JSON.stringify({ ...pod, x: 'x'.repeat(400) }),
      '{"pod_name":"a" }',
    ],
  ),
  member: one(
    ...['"count":1', '"count":1,"count":1', '"id":"x"', '"packets":5', '"bytes":1.5', '"log_type":"x"'],
    ...['"last_timestamp":"2020-06-16T03:10:38Z"', '"src":{}', '"src_ports":[1]', '"x":"\\"', '"1":2'],
  ),
};
/** What is done to a line before it comes again. */
const replacement = fc
  .constantFrom(...(Object.keys(PLACES) as (keyof typeof PLACES)[]))
  .chain((kind) => fc.record({ kind: fc.constant(kind), at: fc.nat(), text: REPLACEMENTS[kind] }));
const change = fc.oneof(
  { weight: 6, arbitrary: replacement },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('byte' as const),
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }) },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(line: string, one: Change): Buffer {
  const bytes = Buffer.from(line);
  if (one.kind === 'cut') return bytes.subarray(0, one.at % bytes.length);
  if (one.kind === 'byte') {
    bytes[one.at % bytes.length] = one.byte;
    return bytes;
  }
  const places = [...line.matchAll(PLACES[one.kind])];
  const place = places[one.at % places.length];
  if (place === undefined) return bytes;
  return Buffer.from(line.slice(0, place.index) + one.text + line.slice(place.index + place[0].length));
}

test('a line reads the same whatever like it was read before', () => {
  let flows = 0;
  fc.assert(
    fc.property(
      fc.array(model, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(2), fc.array(change, { minLength: 1, maxLength: 2 })), {
        minLength: 1,
        maxLength: 12,
      }),
      (lines, changes) => {
        const parser = openParser();
        for (const [which, each] of changes) {
          const line = lines[which % lines.length]!;
          const other = each.reduce(
            (bytes: Buffer, one) => changed(bytes.toString(), one),
            Buffer.from(line),
          );
          for (const bytes of [Buffer.from(line), other]) {
            const read = reading(parser, bytes);
            expect(read, bytes.toString('latin1')).toEqual(reading(openParser(), bytes));
            if ((read as { kind?: string }).kind === undefined) flows++;
          }
        }
      },
    ),
    { numRuns: RUNS },
  );
  expect(flows).toBeGreaterThan(RUNS);
});

test('lines of many pods and shapes take the places of others and read the same', () => {
  const parser = openParser();
  for (let k = 0; k < 3 * SHAPES; k++) {
    const src_ip = `10.96.${(k % SHAPES) >> 8}.${k & 255}`;
    const side = { ...pod, pod_name: `pod-${k % SHAPES}` };
    const isOdd = k % 2 === 1;
    const line = Buffer.from(
      JSON.stringify({
        connection: { ...connection, src_ip, src_port: k },
        ...{ disposition: 'allow', src: side, dest: pod, count: 1 },
        ...end,
        ...(isOdd ? { node_name: `node-${k}` } : undefined),
      }),
    );
    const parsed = parser.parse(line, 0, line.length, 0);
    if (parsed.kind !== 'flow') throw new Error(parsed.kind);
    expect(parsed.srcPort).toBe(k);
    const out = Buffer.alloc(2048);
    const json = out.toString('utf8', 0, parsed.writeJson!(Buffer.from(''), out, 0));
    expect(JSON.parse(json)).toEqual(parsed.toRecord(''));
    expect(parsed.toRecord('')).toMatchObject({
      connection: { src_ip },
      src: { pod_name: side.pod_name, resolved_by: 'upstream' },
      node_name: isOdd ? `node-${k}` : end.node_name,
    });
  }
});
