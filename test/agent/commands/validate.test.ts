import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { validate } from '../../../agent/commands/validate.ts';
import { BROKEN } from '../config/broken.ts';

const folder = mkdtempSync(join(tmpdir(), 'validate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const GOOD = `node: \${NODE}
inputs: [{type: file, format: syslog, paths: [/var/log/syslog]}]
sinks: [{name: a, type: http, url: "https://es/\${KEY}"}]
`;

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function run(config: string, env: Record<string, string> = {}) {
  const written = { out: '', err: '' };
  const stream = (to: 'out' | 'err') => ({
    write: (text: string) => {
      written[to] += text;
    },
  });
  const exitCode = validate({ config }, { stdout: stream('out'), stderr: stream('err'), env });
  return { exitCode, ...written };
}

describe('ends with 78 and one line for every problem of', () => {
  test.each(BROKEN.map((broken, i) => ({ ...broken, i })))('$what', ({ yaml, problems, i }) => {
    const path = file(`broken-${i}.yaml`, yaml);
    expect(run(path)).toEqual({
      exitCode: 78,
      out: '',
      err: problems.map((problem) => `${path}:${problem}\n`).join(''),
    });
  });
});

test('ends with 66 for a file that is not there', () => {
  const path = join(folder, 'nowhere.yaml');
  expect(run(path)).toEqual({
    exitCode: 66,
    out: '',
    err: `${path}:1:1: cannot read the configuration: there is no such file\n`,
  });
});

test('ends with 0 and the effective configuration, secrets hidden', () => {
  const { exitCode, out, err } = run(file('good.yaml', GOOD), { NODE: 'node-1', KEY: 'hunter2' });
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
  expect(parse(out)).toMatchObject({ node: 'node-1', sinks: [{ url: 'https://es/***' }] });
  expect(out).not.toContain('hunter2');
});

describe('as a process', () => {
  const agent = (...argv: string[]) =>
    promisify(execFile)(process.execPath, ['agent/main.ts', ...argv], { env: { NODE: 'n', KEY: 'k' } }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    );

  test.each([
    ['good', GOOD, 0],
    ['broken', 'inputs: 1\n', 78],
  ])('%s', async (name, text, code) => {
    expect(await agent('validate', '--config', file(`${name}.yaml`, text))).toMatchObject({ code });
  });

  test('a closed pipe is no error', async () => {
    const { stdout, stderr } = await promisify(execFile)('/bin/sh', [
      '-c',
      `${process.execPath} agent/main.ts schema config | head -c 1; true`,
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: '{', stderr: '' });
  });
});
