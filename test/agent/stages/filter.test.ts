import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { filterSchema } from '../../../agent/config/filters.ts';
import { sinkSchema } from '../../../agent/config/schema.ts';
import { compileFilter, type FieldTest, fieldsOf, testProblems } from '../../../agent/stages/filter.ts';
import { compileShape } from '../../../agent/stages/shape.ts';
import type { Endpoint } from '../../../parsers/record.ts';
import type { Flow } from '../../helpers/model-flow.ts';
import { StagesRun } from '../../helpers/stages-run.ts';

const record = {
  id: 'a',
  connection: { src_ip: '203.0.113.7', dest_ip: '10.84.0.165', dest_port: 8080, protocol: 'tcp' },
  disposition: 'deny',
  policies: [{ name: 'one', namespace: 'a' }, { name: 'two' }],
  src: { instance: '203.0.113.7', network: 'public' },
  dest: { pod_name: 'nginx-internet-7d9f', namespace: 'web', labels: { 'app.kubernetes.io/name': 'nginx' } },
  src_ports: [1024, 2048],
  packet: { syn: true },
};

describe('a filter holds', () => {
  test.each<[string, unknown, boolean]>([
    ['equals', { field: 'dest.namespace', equals: 'web' }, true],
    ['equals, another value', { field: 'dest.namespace', equals: 'we' }, false],
    ['a number and its text are the same', { field: 'connection.dest_port', equals: '8080' }, true],
    ['equals a boolean', { field: 'packet.syn', equals: true }, true],
    ['equals of an object', { field: 'dest', equals: '[object Object]' }, false],
    ['one of', { field: 'connection.dest_port', one_of: [53, 8080] }, true],
    ['any element of a list of objects', { field: 'policies.name', equals: 'two' }, true],
    ['any element of a list', { field: 'src_ports', port_range: '2000-3000' }, true],
    ['no element', { field: 'policies.name', equals: 'three' }, false],
    ['matches', { field: 'dest.pod_name', matches: '^nginx-' }, true],
    ['matches, anywhere', { field: 'dest.pod_name', matches: 'internet' }, true],
    ['a number matches as text', { field: 'connection.dest_port', matches: '^80' }, true],
    ['cidr', { field: 'connection.dest_ip', cidr: '10.84.0.0/16' }, true],
    ['cidr, one of a list', { field: 'connection.dest_ip', cidr: ['192.168.0.0/16', '10.84.0.165'] }, true],
    ['cidr, outside', { field: 'connection.dest_ip', cidr: '10.85.0.0/16' }, false],
    ['cidr on what is no address', { field: 'dest.namespace', cidr: '0.0.0.0/0' }, false],
    ['mapped IPv4 network', { field: 'connection.dest_ip', cidr: '::ffff:10.84.0.0/112' }, true],
    ['an IPv6 network holds no IPv4', { field: 'connection.dest_ip', cidr: '2000::/3' }, false],
    ['port range, its ends', { field: 'connection.dest_port', port_range: '8080-8081' }, true],
    ['port range, one port', { field: 'connection.dest_port', port_range: '8081' }, false],
    ['exists', { field: 'src.network', exists: true }, true],
    ['exists, absent', { field: 'src.namespace', exists: true }, false],
    ['does not exist', { field: 'src.namespace', exists: false }, true],
    ['does not exist, there', { field: 'src.network', exists: false }, false],
    ['a test of what is absent', { field: 'src.namespace', equals: 'web' }, false],
    ['not of a test of what is absent', { not: { field: 'src.namespace', equals: 'web' } }, true],
    ['a name with dots', { field: 'dest.labels.app.kubernetes.io/name', equals: 'nginx' }, true],
    [
      'and',
      {
        and: [
          { field: 'id', equals: 'a' },
          { field: 'disposition', equals: 'allow' },
        ],
      },
      false,
    ],
    [
      'or',
      {
        or: [
          { field: 'id', equals: 'b' },
          { field: 'disposition', equals: 'deny' },
        ],
      },
      true,
    ],
    ['nothing that all objects have', { field: 'dest.constructor.name', exists: true }, false],
  ])('%s', (_, written, expected) => {
    expect(compileFilter(filterSchema.parse(written))(record)).toBe(expected);
  });
});

describe('a test that cannot work is named', () => {
  test.each<[string, FieldTest, string, string]>([
    ['no test', { field: 'id' }, '', 'expected exactly one of'],
    ['two tests', { field: 'id', equals: 'a', exists: true }, '', 'expected exactly one of'],
    [
      'a field that no record has',
      { field: 'destination.namespace', equals: 'a' },
      'field',
      'a field of the record',
    ],
    [
      'a connection field that there is not',
      { field: 'connection.port', equals: 1 },
      'field',
      'a field of the record',
    ],
    ['a pattern', { field: 'id', matches: '(' }, 'matches', 'a regular expression'],
    ['a network', { field: 'src.instance', cidr: '10.0.0.0/33' }, 'cidr', 'a network'],
    ['one network of a list', { field: 'src.instance', cidr: ['::/0', 'x'] }, 'cidr.1', 'a network'],
    [
      'a range backwards',
      { field: 'connection.dest_port', port_range: '9-8' },
      'port_range',
      'the lower port first',
    ],
    ['a port too high', { field: 'connection.dest_port', port_range: '65536' }, 'port_range', '65535'],
  ])('%s', (_, written, path, message) => {
    const [problem, ...others] = testProblems(written);
    expect(others).toEqual([]);
    expect(problem!.path.join('.')).toBe(path);
    expect(problem!.message).toContain(message);
    expect(filterSchema.safeParse(written).success).toBe(false);
  });
});

test('the fields of a filter are known', () => {
  const filter = filterSchema.parse({
    and: [{ field: 'id', exists: true }, { not: { or: [{ field: 'src.namespace', equals: 'a' }] } }],
  });
  expect(fieldsOf(filter)).toEqual(['id', 'src.namespace']);
});

describe('what the reference shows', () => {
  const text = readFileSync(new URL('../../../docs/filters.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => parse(yaml!));
  const pod = (namespace: string, pod_name: string): Endpoint => ({ namespace, pod_name });
  const flow = (src: Endpoint, dest: Endpoint, more: Partial<Flow> = {}): Flow => ({
    timeUs: 1e15,
    disposition: 'allow',
    ...more,
    extra: { src, dest, ...more.extra },
  });
  const internet = { instance: '198.51.100.9', network: 'public' };

  const dev = pod('dev', 'a');
  const prod = pod('prod', 'b');
  const nginx = pod('web', 'nginx-internet-7d9f');
  test.each<[string, number, Flow, string]>([
    ['dev sends', 0, flow(dev, prod), 'filtered exclude'],
    ['dev receives', 0, flow(prod, dev), 'filtered exclude'],
    ['no dev', 0, flow(prod, prod), 'recorded'],
    ['from the Internet to nginx', 1, flow(internet, nginx), 'filtered exclude'],
    ['from the Internet to another', 1, flow(internet, prod), 'recorded'],
    ['from a private address to nginx', 1, flow({ instance: '10.0.0.9' }, nginx), 'recorded'],
    ['an unnamed Internet address', 1, flow({}, nginx, { src: '198.51.100.9' }), 'filtered exclude'],
    ['a denial', 2, flow(prod, dev, { disposition: 'deny' }), 'opened'],
    ['an allow', 2, flow(prod, dev), 'filtered include'],
    [
      'a denial of the node',
      2,
      flow({ node_name: 'n', workload_kind: 'Node' }, dev, { disposition: 'deny' }),
      'filtered exclude',
    ],
    ['out to SSH', 3, flow(prod, {}, { dest: '198.51.100.9', destPort: 22 }), 'recorded'],
    ['out to HTTPS', 3, flow(prod, {}, { dest: '198.51.100.9', destPort: 443 }), 'filtered include'],
    ['inside', 3, flow(prod, {}, { dest: '10.1.1.1', destPort: 22 }), 'filtered include'],
    [
      'a reply to staging',
      4,
      flow(prod, pod('staging-1', 'x'), { protocol: 'udp', destPort: 40_000 }),
      'filtered exclude',
    ],
    ['a reply to prod', 4, flow(prod, prod, { protocol: 'udp', destPort: 40_000 }), 'recorded'],
  ])('%s', (_, example, line, expected) => {
    const run = new StagesRun({ select: examples[example].select });
    expect(run.line(line)).toBe(expected);
    expect(run.gap).toEqual({ lines: 0, records: 0 });
  });

  test('sinks of their own', () => {
    const [team] = examples[5].sinks.map((sink: unknown) => sinkSchema.parse(sink));
    const passes = team.include.map(compileFilter);
    expect(passes[0]({ src: pod('team-a', 'x'), dest: prod })).toBe(true);
    expect(passes[0]({ src: pod('team-b', 'x'), dest: prod })).toBe(false);
    expect(
      compileShape(team.shape)({ connection: { src_ip: '10.0.0.1', dest_port: 80 }, packet: {} }),
    ).toEqual({
      connection: { dest_port: 80 },
      client_ip: '10.0.0.1',
    });
  });
});
