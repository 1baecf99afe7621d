import { describe, expect, it, test } from 'vitest';
import type { FlowLine, ParsedLine } from '../../parsers/line.ts';
import { policyActionFormat } from '../../parsers/policy-action.ts';
import { parseGoldens } from '../helpers/parse-goldens.ts';

const format = policyActionFormat({
  input: 'gke',
  node: 'node-of-the-agent',
  dispositions: [{ policy: 'shop/watch', disposition: 'deny' }],
});
const parser = format.open();
const goldens = ['lines', 'refused'].flatMap((name) => parseGoldens('policy-action', name, format));

test.each(goldens)('golden: $name', ({ got, expected }) => expect(got).toBe(expected));

function parse(text: string): ParsedLine {
  const bytes = Buffer.from(`before\n${text}\nafter`);
  return parser.parse(bytes, 7, bytes.length - 6, 0);
}

function flow(line: object | string): FlowLine {
  const parsed = parse(typeof line === 'string' ? line : JSON.stringify(line));
  if (parsed.kind !== 'flow') throw new Error(`not a flow: ${JSON.stringify(parsed)}`);
  return parsed;
}

const allowed = {
  connection: {
    src_ip: '10.84.0.252',
    dest_ip: '10.84.0.165',
    src_port: 52648,
    dest_port: 8080,
    protocol: 'tcp',
    direction: 'ingress',
  },
  disposition: 'allow',
  policies: [{ name: 'allow-green', namespace: 'default' }],
  src: {
    pod_name: 'client-green-7b78d7c957-68mv4',
    pod_namespace: 'default',
    namespace: 'default',
    workload_name: 'client-green-7b78d7c957',
    workload_kind: 'ReplicaSet',
  },
  dest: { instance: '10.84.0.165' },
  count: 1,
  node_name: 'gke-demo-default-pool-5dad52ed-k0h1',
  timestamp: '2020-06-16T03:10:37.993712906Z',
};

describe('what a line gives', () => {
  it('is all that GKE wrote, with an id, a source, and a note of whose names they are', () => {
    const line = flow(allowed);
    expect(line).toMatchObject({ disposition: 'allow', count: 1, srcPort: 52648, timeDigits: 9 });
    expect(line.timeUs).toBe(Date.parse('2020-06-16T03:10:37Z') * 1000 + 993712);
    expect(line.timestamp()).toBe('2020-06-16T03:10:37.993712906Z');
    const record = line.toRecord('r1');
    expect(record).toEqual({
      id: 'r1',
      ...allowed,
      src: { ...allowed.src, resolved_by: 'upstream' },
      source: { input: 'gke', format: 'policy_action' },
    });
    expect(Object.keys(record)).toEqual(['id', ...Object.keys(allowed), 'source']);
  });

  it('is carried through with what it has beyond the known members', () => {
    const text = `{"extra":{"b":[1.50,12345678901234567890],"a":null},${JSON.stringify(allowed).slice(1)}`;
    const json = JSON.stringify(flow(text).toRecord('r1'));
    expect(json).toContain(
      `"timestamp":"${allowed.timestamp}","extra":{"b":[1.50,12345678901234567890],"a":null}`,
    );
  });
});

describe('the key', () => {
  it('is the same for lines that differ in time, source port and count alone', () => {
    const key = flow(allowed).copyKey();
    const retry = flow({
      ...allowed,
      connection: { ...allowed.connection, src_port: 1 },
      count: 70,
      timestamp: '2020-06-16T03:10:39.1Z',
    });
    expect(retry.keyEquals(key)).toBe(true);
    expect(retry.keyHash()).toBe(flow(allowed).keyHash());
  });

  it('has the same hash whatever line was read before', () => {
    const portless = { ...allowed, connection: { ...allowed.connection, dest_port: undefined } };
    const hash = flow(portless).keyHash();
    flow(allowed);
    expect(flow(portless).keyHash()).toBe(hash);
  });

  it.each([
    ['another address', { ...allowed, connection: { ...allowed.connection, dest_ip: '10.84.0.16' } }],
    ['another disposition', { ...allowed, disposition: 'deny' }],
    ['another node', { ...allowed, node_name: 'gke-demo-default-pool-5dad52ed-k0h2' }],
    ['a member more', { ...allowed, extra: 1 }],
  ])('is another for %s', (_what, line) => {
    const key = flow(allowed).copyKey();
    const other = flow(line).copyKey();
    expect(flow(line).keyEquals(key)).toBe(false);
    expect(flow(allowed).keyEquals(other)).toBe(false);
  });
});

describe('a line', () => {
  it('of white space is no JSON, and of nothing is foreign', () => {
    expect(parse('  ')).toEqual({ kind: 'unparsable', reason: 'truncated' });
    expect(parse('')).toEqual({ kind: 'foreign' });
  });

  it('nested too deeply is no JSON', () => {
    const deep = { ...allowed, deep: JSON.parse('['.repeat(65) + ']'.repeat(65)) };
    expect(parse(JSON.stringify(deep))).toEqual({ kind: 'unparsable', reason: 'bad_json' });
  });

  it('has no more of the counters than it says', () => {
    expect(flow(allowed)).toMatchObject({ packets: 0, bytes: 0 });
    expect(flow({ ...allowed, packets: 3, bytes: 180 })).toMatchObject({ packets: 3, bytes: 180 });
    expect(flow({ ...allowed, connection: { ...allowed.connection, src_port: undefined } }).srcPort).toBe(-1);
  });
});

it('is written with the network that its instance has now', () => {
  const out = Buffer.alloc(2048);
  let name: string | undefined = 'office';
  const enricher = { networkOf: () => name, networksVersion: 1, enrich: () => {} };
  const written = (ip: string) => {
    const end = flow({ ...allowed, dest: { instance: ip } }).writeJson!(Buffer.from('r1'), out, 0, enricher);
    return JSON.parse(out.toString('utf8', 0, end)).dest;
  };
  for (const ip of ['10.1.2.3', '2001:db8::1']) expect(written(ip)).toEqual({ instance: ip, network: name });
  name = 'lab "2"';
  enricher.networksVersion++;
  for (const ip of ['10.1.2.3', '2001:db8::1']) expect(written(ip)).toEqual({ instance: ip, network: name });
  name = undefined;
  enricher.networksVersion++;
  for (const ip of ['10.1.2.3', '2001:db8::1']) expect(written(ip)).toEqual({ instance: ip });
});

describe('a rule for a policy', () => {
  const watched = { ...allowed, policies: [{ name: 'watch', namespace: 'shop' }] };

  it('gives a disposition where the line has none', () => {
    const line = flow({ ...watched, disposition: 'unknown' });
    expect(line.disposition).toBe('deny');
    expect(line.toRecord('r1').disposition).toBe('deny');
    expect(written(line)).toContain('"disposition":"deny"');
  });

  it('leaves verdicts and other policies alone', () => {
    expect(flow(watched).disposition).toBe('allow');
    expect(flow({ ...allowed, disposition: 'unknown' }).disposition).toBe('unknown');
  });
});

describe('writing the JSON', () => {
  it.each(goldens.filter(({ name }) => name.startsWith('lines')))(
    'is as JSON.stringify: $name',
    ({ line, expected }) => {
      const id = JSON.parse(expected).id;
      expect(written(flow(line), id)).toBe(expected);
    },
  );

  it('says where there is too little room, and touches nothing beyond', () => {
    for (const line of [flow(allowed), flow({ ...allowed, x: 'é' })]) {
      const { length } = written(line);
      const out = Buffer.alloc(length + 64);
      expect(line.writeJson!(Buffer.from('r1'), out.subarray(0, length - 1), 0)).toBe(-1);
      expect(out.subarray(length - 1).every((byte) => byte === 0)).toBe(true);
    }
  });
});

function written(line: FlowLine, id = 'r1'): string {
  const out = Buffer.alloc(4096);
  return out.toString('utf8', 5, line.writeJson!(Buffer.from(id), out, 5));
}
