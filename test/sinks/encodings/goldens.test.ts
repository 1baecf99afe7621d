import { readFileSync } from 'node:fs';
import { EcsFlat } from '@elastic/ecs';
import { describe, expect, test } from 'vitest';
import { loadEncoding } from '../../../agent/load-encoding.ts';
import { version } from '../../../agent/version.ts';
import type { FlowRecord } from '../../../parsers/record.ts';
import type { Shape } from '../../../sinks/shaped-sink.ts';
import { configure } from '../destinations/common.ts';

type Fields = Record<string, unknown>;

const TEMPLATE =
  '{{ timestamp }} {{disposition}} {{ src.namespace }}/{{ src.pod_name }} -> {{ dest }} policies="{{ policies.name }}" {{ id }}';

function fixture(path: string): URL {
  return new URL(`../../fixtures/${path}`, import.meta.url);
}

function read(path: string): Fields[] {
  const lines = readFileSync(fixture(path), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line)).filter(({ id }) => id !== undefined);
}

const CHOSEN = read('encodings/records.ndjson');
const ALL = [
  CHOSEN,
  read('policy-action/lines.expected.ndjson'),
  read('flow-log/lines.expected.ndjson'),
  read('lines/hand-derived.expected.ndjson'),
  read('lines/kernel-traditional.expected.ndjson'),
].flat();

async function encode(encoding: Fields, records = CHOSEN): Promise<string[]> {
  const shape = (await loadEncoding(configure({ type: 'stdout', encoding }))) as Shape;
  return records.map((record) => {
    const encoded = shape(structuredClone(record));
    return typeof encoded === 'string'
      ? encoded.replace(`|${version}|`, '|VERSION|')
      : JSON.stringify(encoded);
  });
}

describe.each([
  ['ecs', { codec: 'ecs' }],
  ['calico_flow', { codec: 'calico_flow' }],
  ['cef', { codec: 'cef' }],
  ['template', { codec: 'template', template: TEMPLATE }],
])('%s', (name, encoding) => {
  const expected = readFileSync(fixture(`encodings/${name}.expected.txt`), 'utf8')
    .trimEnd()
    .split('\n');

  test.each(CHOSEN.map((record, index) => [record.id, index] as const))('%s', async (_, index) => {
    expect((await encode(encoding))[index]).toBe(expected[index]);
  });

  test('one line a record, whatever is in it', async () => {
    const lines = await encode(encoding, ALL);
    expect(lines.filter((line) => /[\n\r]/.test(line))).toEqual([]);
    expect(new Set(lines).size).toBeGreaterThan(ALL.length / 2);
  });
});

test('every name of ECS is in the schema, and has its kind of value', async () => {
  const schema = EcsFlat as unknown as Record<string, { type: string; normalize: string[] }>;
  const problems = new Set<string>();
  const check = (value: unknown, path: string) => {
    if (path === 'policy_log_agent') return;
    const field = schema[path];
    if (field === undefined && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value)) check(inner, path === '' ? name : `${path}.${name}`);
    } else if (field === undefined) problems.add(`${path} is not in the schema`);
    else if (field.normalize.includes('array') !== Array.isArray(value))
      problems.add(`${path}: a list or not`);
    else if (['long', 'float'].includes(field.type) !== (typeof value === 'number')) {
      problems.add(`${path}: ${JSON.stringify(value)} for ${field.type}`);
    }
  };
  for (const line of await encode({ codec: 'ecs' }, ALL)) check(JSON.parse(line), '');
  expect([...problems]).toEqual([]);
});

test("what was read from Calico Enterprise's flow logs goes out as it came", async () => {
  const lines = readFileSync(fixture('flow-log/lines.log'), 'utf8').trimEnd().split('\n');
  const came = lines.map((line, index) => ({ line, index })).filter(({ line }) => line.startsWith('{'));
  const records = read('flow-log/lines.expected.ndjson');
  expect(came.length).toBeGreaterThan(5);
  for (const { line, index } of came) {
    const record = records.find(({ id }) => id === `line-${index + 1}`)!;
    const [encoded] = await encode({ codec: 'calico_flow' }, [record]);
    const { id, ...rest } = JSON.parse(encoded!);
    const original = JSON.parse(line);
    expect(id).toBe(record.id);
    expect(Object.keys(rest).sort()).toEqual(expect.arrayContaining(Object.keys(original).sort()));
    const { policies, proto, ...same } = original;
    expect(rest).toMatchObject(same);
    if (policies !== null) expect(rest.policies.all_policies).toHaveLength(policies.all_policies.length);
    expect(proto === 17 ? 'udp' : proto).toBe(rest.proto);
  }
});

test('CEF is read back as it was meant', async () => {
  const records = CHOSEN.filter(({ connection }) => connection !== undefined);
  const lines = await encode({ codec: 'cef' }, records);
  for (const [index, line] of lines.entries()) {
    const { headers, extension } = readCef(line);
    expect(headers.slice(0, 3)).toEqual(['CEF:0', 'policy-log-agent', 'policy-log-agent']);
    const { id, disposition, src, count } = records[index] as never as FlowRecord;
    expect(headers[4]).toBe(disposition);
    const pod = src.pod_name?.replaceAll('\n', '\\n');
    expect(extension).toMatchObject({ externalId: id, cnt: `${count}`, ...(pod && { cs2: pod }) });
  }
});

/** Reads CEF as its specification has it. */
function readCef(line: string): { headers: string[]; extension: Record<string, string> } {
  const parts = line.match(/(?:[^|\\]|\\.)*(?:\||$)/gs)!;
  const headers = parts.slice(0, 7).map((part) => part.replace(/\|$/, '').replace(/\\([\\|])/g, '$1'));
  const rest = parts.slice(7).join('');
  const pairs = rest.matchAll(/(?:^| )(\w+)=((?:[^=\\]|\\.)*?)(?= \w+=|$)/gs);
  return {
    headers,
    extension: Object.fromEntries(
      [...pairs].map(([, key, value]) => [key, value!.replace(/\\([\\=])/g, '$1')]),
    ),
  };
}
