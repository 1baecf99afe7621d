import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Environment, loadConfig, parseConfig } from '../../../agent/config/load.ts';
import { problemText } from '../../../agent/config/problem.ts';
import { BROKEN } from './broken.ts';

const MINIMAL = `inputs: [{type: file, format: syslog, paths: [/var/log/syslog]}]
sinks: [{name: a, type: stdout}]
`;

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function problemsOf(text: string, env: Environment = {}): string[] {
  const loaded = parseConfig(text, env);
  return loaded.ok ? [] : loaded.problems.map((problem) => problemText('c', problem).slice('c:'.length));
}

function load(text: string, env: Environment = {}) {
  const loaded = parseConfig(text, env);
  if (!loaded.ok) throw new Error(loaded.problems.map((problem) => problemText('c', problem)).join('\n'));
  return loaded;
}

describe('a broken configuration is refused with every problem, its place, and what would be right', () => {
  test.each(BROKEN)('$what', ({ yaml, problems }) => {
    expect(problemsOf(yaml)).toEqual(problems);
  });
});

describe('a file that cannot be read', () => {
  test.each([
    ['is not there', join(folder, 'nowhere.yaml'), 'there is no such file'],
    ['is a folder', folder, 'it is not a file'],
    ['is not text', write('binary.yaml', Buffer.from([0x61, 0xff, 0xfe])), 'it is not UTF-8 text'],
    [
      'is too large',
      write('large.yaml', Buffer.alloc(1024 * 1024 + 1, '#')),
      'it is larger than 1048576 bytes',
    ],
  ])('%s', (_what, path, reason) => {
    expect(loadConfig(path, {})).toMatchObject({
      ok: false,
      unreadable: true,
      problems: [{ path: '', line: 1, column: 1, message: `cannot read the configuration: ${reason}` }],
    });
  });

  function write(name: string, bytes: Buffer): string {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  }
});

describe('what is left out', () => {
  test('has its default, in milliseconds and bytes', () => {
    const { config } = load(MINIMAL);
    expect(config.aggregate.window).toBe(5000);
    expect(config.state.size_max).toBe(512 * 1024 * 1024);
    expect(config.sinks[0]!.batch.records_max).toBe(1000);
    expect(config.select.deny).toEqual({ log: true, delegate: false });
  });

  test('also where the key is there without a value', () => {
    expect(load(`${MINIMAL}select:\nlimit:\n  burst:\n`).config).toEqual(load(MINIMAL).config);
    expect(problemsOf('inputs:\nsinks:\n')).toEqual([
      '1:8: inputs: missing; expected a list',
      '2:7: sinks: missing; expected a list',
    ]);
    expect(problemsOf(`${MINIMAL}selekt:\n`)).toEqual(['3:1: selekt: unknown key; did you mean select?']);
  });

  test('a name of an input is its format, numbered past names that are taken', () => {
    const input = (name = '') => `  - {type: file, format: syslog, paths: [/var/log/syslog]${name}}\n`;
    const text = `inputs:\n${input()}${input()}${input(', name: syslog-3')}${input()}sinks: [{name: a, type: stdout}]\n`;
    expect(load(text).config.inputs.map(({ name }) => name)).toEqual([
      'syslog',
      'syslog-2',
      'syslog-3',
      'syslog-4',
    ]);
  });
});

describe('YAML', () => {
  test('anchors and merge keys work; what stands in the mapping itself wins', () => {
    const { config } = load(`inputs:
  - &base {type: file, format: syslog, paths: [/a], start: beginning}
  - {<<: *base, paths: [/b]}
  - <<: [{line_bytes_max: 1MiB}, *base]
    name: third
sinks: [{name: a, type: stdout}]
`);
    expect(config.inputs.map(({ paths, start }) => [paths[0], start])).toEqual([
      ['/a', 'beginning'],
      ['/b', 'beginning'],
      ['/a', 'beginning'],
    ]);
    expect(config.inputs[2]!.line_bytes_max).toBe(1024 * 1024);
  });

  test('a problem behind an alias is where the value is written', () => {
    const text = `inputs:
  - &base {type: file, format: syslog, paths: nowhere}
  - {<<: *base, name: second}
sinks: [{name: a, type: stdout}]
`;
    expect(problemsOf(text)).toEqual([
      '2:47: inputs[0].paths: expected a list; got "nowhere"; write [nowhere]',
      '2:47: inputs[1].paths: expected a list; got "nowhere"; write [nowhere]',
    ]);
  });

  test.each([
    ['aliases that multiply', `a: &a [x,x,x,x,x,x,x,x,x,x]\n${multiplied(8)}`, /more than 50000 values/],
    ['an alias that holds itself', 'a: &a [*a]\n', /holds itself/],
    ['brackets by the thousand', '['.repeat(200_000), /nested too deeply|not valid YAML/],
    ['mappings by the hundred', `{a: ${'{a: '.repeat(200)}`, /not valid YAML/],
    ['nesting', `a: ${'['.repeat(80)}${']'.repeat(80)}\n`, /nested too deeply/],
  ])('%s are refused', (_what, text, message) => {
    expect(problemsOf(text).join('\n')).toMatch(message);
  });

  function multiplied(levels: number): string {
    let text = '';
    for (let i = 0; i < levels; i++) {
      const [from, to] = [String.fromCharCode(97 + i), String.fromCharCode(98 + i)];
      text += `${to}: &${to} [${Array(10).fill(`*${from}`).join(',')}]\n`;
    }
    return text;
  }

  test('__proto__ is an unknown key, nothing else', () => {
    expect(problemsOf(`${MINIMAL}__proto__: {log: {level: debug}}\n`)[0]).toMatch(
      /^3:1: __proto__: unknown key/,
    );
    expect(({} as Record<string, unknown>).log).toBeUndefined();
  });
});

describe('the hash', () => {
  test('is of the text: nodes with different variables have the same', () => {
    const text = `${MINIMAL}node: ${'${NODE}'}\n`;
    const [a, b] = [load(text, { NODE: 'a' }), load(text, { NODE: 'b' })];
    expect(a.hash).toMatch(/^[0-9a-f]{16}$/);
    expect(a.hash).toBe(b.hash);
    expect(a.fingerprint).not.toBe(b.fingerprint);
    expect(a.hash).not.toBe(load(`${text}# changed\n`, { NODE: 'a' }).hash);
  });
});
