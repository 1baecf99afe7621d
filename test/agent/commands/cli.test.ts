import { describe, expect, test } from 'vitest';
import { type Commands, runCli } from '../../../agent/commands/cli.ts';
import manifest from '../../../package.json' with { type: 'json' };

/** Runs a command line against commands that only note what they were asked for. */
async function cli(...argv: string[]) {
  const calls: unknown[][] = [];
  const note =
    (name: string) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args]);
      return 42;
    };
  const commands: Commands = {
    run: note('run'),
    validate: note('validate'),
    parse: note('parse'),
    schema: note('schema'),
  };
  let out = '';
  let err = '';
  const exitCode = await runCli(argv, commands, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { exitCode, calls, out, err };
}

describe('help', () => {
  test.each([[[]], [['run']], [['validate']], [['parse']], [['schema']]])('%j --help', async (command) => {
    const { exitCode, out, err, calls } = await cli(...command, '--help');
    expect({ exitCode, err, calls }).toEqual({ exitCode: 0, err: '', calls: [] });
    expect(out).toMatchSnapshot();
    expect(await cli('help', ...command)).toMatchObject({ exitCode: 0, out });
  });

  test('every line fits a terminal, and every command has examples', async () => {
    for (const command of [[], ['run'], ['validate'], ['parse'], ['schema']]) {
      const { out } = await cli(...command, '--help');
      expect(out).toContain('Examples:\n  ');
      expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
    }
  });
});

test('--version is that of the package', async () => {
  expect(await cli('--version')).toMatchObject({ exitCode: 0, out: `${manifest.version}\n`, err: '' });
});

describe('a command gets its options, and its exit code is the process’s', () => {
  const parse = { format: 'auto', aggregate: false };
  test.each([
    ['run --config a.yaml', ['run', { config: 'a.yaml', once: false }]],
    ['run --config=a.yaml --once', ['run', { config: 'a.yaml', once: true }]],
    ['validate --config a.yaml', ['validate', { config: 'a.yaml' }]],
    ['schema config', ['schema', 'config']],
    ['parse', ['parse', [], parse]],
    ['parse a b', ['parse', ['a', 'b'], parse]],
    ['parse --format kmsg - --aggregate', ['parse', ['-'], { format: 'kmsg', aggregate: true }]],
    [
      'parse --config c --now 2026-01-01T00:00:00Z --timezone UTC --node n f',
      ['parse', ['f'], { ...parse, config: 'c', now: '2026-01-01T00:00:00Z', timezone: 'UTC', node: 'n' }],
    ],
  ])('%s', async (line, call) => {
    expect(await cli(...line.split(' '))).toEqual({ exitCode: 42, calls: [call], out: '', err: '' });
  });
});

describe('a wrong command line ends with 64 and says what would be right', () => {
  test.each([
    ['', 'Usage: policy-log-agent [options] [command]'],
    ['parze', "error: unknown command 'parze'\n(Did you mean parse?)"],
    ['validate --confg a', "error: unknown option '--confg'\n(Did you mean --config?)"],
    ['run --once', 'error: --config FILE is missing'],
    ['run --config', "error: option '--config <file>' argument missing"],
    ['run --config a b', "error: too many arguments for 'run'. Expected 0 arguments but got 1: b"],
    ['parse --format sislog', 'Allowed choices are auto, syslog, policy_action, flow_log, kmsg, journal.'],
    ['schema', "error: missing required argument 'subject'"],
    ['schema confg', 'Allowed choices are config'],
  ])('%j', async (line, message) => {
    const result = await cli(...line.split(' ').filter((word) => word !== ''));
    expect(result).toMatchObject({ exitCode: 64, calls: [], out: '' });
    expect(result.err).toContain(message);
    expect(result.err).toContain('--help');
  });
});

test('a defect of a command is not taken for a wrong command line', async () => {
  const failing = { validate: async () => Promise.reject(new TypeError('defect')) } as unknown as Commands;
  const output = { out: () => {}, err: () => {} };
  await expect(runCli(['validate', '--config', 'a'], failing, output)).rejects.toThrow('defect');
});
