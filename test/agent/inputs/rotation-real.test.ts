import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Logs } from '../../helpers/file-logs.ts';

const LOGROTATE = '/usr/sbin/logrotate';
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`);

describe.runIf(existsSync(LOGROTATE))('logrotate', () => {
  test.each([
    ['create', 'create'],
    ['create, the agent away at each second rotation', 'create'],
    ['copytruncate', 'copytruncate'],
    ['compress', 'create\n compress'],
    ['compress, delaycompress', 'create\n compress\n delaycompress'],
    ['copytruncate, compress', 'copytruncate\n compress'],
    ['dateext', 'create\n dateext\n dateformat -%Y%m%d-%s'],
  ])('%s', (name, directives) => {
    using logs = new Logs();
    const rules = logs.path('logrotate.conf');
    const owner = `su ${execFileSync('id', ['-un']).toString().trim()} ${execFileSync('id', ['-gn']).toString().trim()}`;
    writeFileSync(
      rules,
      `${logs.path('log')} {\n ${owner}\n rotate 100\n nomail\n missingok\n ${directives}\n}\n`,
    );
    let next = 0;
    for (let rotation = 0; rotation < 6; rotation++) {
      for (let i = 0; i < 50; i++) logs.append('log', `line ${next++}\n`);
      if (rotation % 3 === 0) logs.poll();
      for (let i = 0; i < 50; i++) logs.append('log', `line ${next++}\n`);
      execFileSync(LOGROTATE, ['--force', '--state', logs.path('state'), rules]);
      if (name === 'dateext') setSecond(logs, rotation);
      if (rotation % 2 === 1) logs.stop();
      if (!existsSync(logs.path('log'))) logs.write('log', '');
    }
    logs.append('log', `line ${next++}\n`);
    logs.settle();
    expect(logs.lines).toEqual(numbers(next));
  });
});

/** logrotate refuses two rotations within a second, so the name of the last one gets another second. */
function setSecond(logs: Logs, rotation: number): void {
  for (const name of readdirSync(logs.directory)) {
    const found = /^(log-\d{8})-1\d{9}$/.exec(name);
    if (found !== null) renameSync(logs.path(name), logs.path(`${found[1]}-000000000${rotation}`));
  }
}

test('lumberjack: rename at 10 MB, five backups kept', () => {
  using logs = new Logs({ paths: ['policy_action.log*'] });
  const path = logs.path('policy_action.log');
  const backups: string[] = [];
  let descriptor = openSync(path, 'a');
  let size = 0;
  let rotations = 0;
  const count = 120_000;
  for (let i = 0; i < count; i++) {
    if (size > 10 * 1024 * 1024) {
      closeSync(descriptor);
      const time = new Date(Date.UTC(2026, 10, 20) + ++rotations * 61_003);
      const stamp = time.toISOString().slice(0, -1).replaceAll(':', '-');
      const backup = logs.path(`policy_action-${stamp}.log`);
      renameSync(path, backup);
      backups.push(backup);
      if (backups.length > 5) unlinkSync(backups.shift()!);
      descriptor = openSync(path, 'a');
      size = 0;
    }
    size += writeSync(descriptor, `line ${i}${' '.repeat(600)}\n`);
    // Now and then the reader is away for up to four files.
    if (i % 70_000 === 0) logs.stop();
    if (i % 15_000 === 0 || (i > 80_000 && i % 1_000 === 0)) logs.poll();
  }
  closeSync(descriptor);
  logs.settle();
  expect(rotations).toBeGreaterThan(5);
  expect(logs.lines.map((line) => line.trimEnd())).toEqual(numbers(count));
});
