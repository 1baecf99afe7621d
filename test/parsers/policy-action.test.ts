import { describe, expect, it } from 'vitest';
import type { FlowLine, ParsedLine } from '../../parsers/line.ts';
import { policyActionFormat } from '../../parsers/policy-action.ts';

const format = policyActionFormat({
  input: 'gke',
  node: 'node-of-the-agent',
  dispositions: [{ policy: 'shop/watch', disposition: 'deny' }],
});
const parser = format.open();

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
