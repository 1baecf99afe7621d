import { execFile } from 'node:child_process';
import { accessSync, constants, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { AGENT_PATH } from '../helpers/agent-child.ts';

const ROOT = join(import.meta.dirname, '../..');

/** As a shell would find programs, not as an npm script does. */
const PATH = process.env
  .PATH!.split(':')
  .filter((folder) => !folder.includes('node_modules'))
  .join(':');

const execute = (file: string, argv: string[]) =>
  promisify(execFile)(file, argv, { cwd: ROOT, env: { ...process.env, PATH } }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );

test('npx finds the command, and the Node.js that came with it', async () => {
  const { code, stdout } = await execute('npx', ['--yes=false', '--', 'policy-log-agent', '--version']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${manifest.version}\n` });
});

test('it is an executable file that begins with its interpreter', () => {
  accessSync(AGENT_PATH, constants.X_OK);
  expect(readFileSync(AGENT_PATH, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

test('an older Node.js is told so, instead of failing at a module that it does not have', async () => {
  const older = 'Object.defineProperty(process, "versions", {value: {...process.versions, node: "20.19.0"}})';
  const argv = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, AGENT_PATH, '--version'];
  expect(await execute(process.execPath, argv)).toEqual({
    code: 69,
    stdout: '',
    stderr: `policy-log-agent needs Node.js 24.15 or newer; this is 20.19.0 (${process.execPath})\n`,
  });
  // It would not come to that sentence if Node.js had to find modules before the first line runs.
  expect(readFileSync(AGENT_PATH, 'utf8')).not.toMatch(/\bfrom\s*["'](node:)?[a-z_/]+["'];/);
});

test('validate works without any package', async () => {
  const { code, stderr } = await execute(process.execPath, [
    AGENT_PATH,
    'validate',
    '--config',
    '/nonexistent.yaml',
  ]);
  expect({ code, stderr }).toEqual({
    code: 66,
    stderr: '/nonexistent.yaml:1:1: cannot read the configuration: there is no such file\n',
  });
});

test('named numbers stand where they are used', () => {
  const files = globSync('**/*.mjs', { cwd: dirname(AGENT_PATH) });
  const code = files.map((file) => readFileSync(join(dirname(AGENT_PATH), file), 'utf8')).join('\n');
  for (const name of ['SLOT_BYTES', 'GAP_COUNT', 'KEPT_BYTES_MAX']) expect(code).not.toContain(name);
});
