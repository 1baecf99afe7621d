import { closeSync, openSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Logs } from '../../helpers/file-logs.ts';

function rotate(logs: Logs, backups: number): void {
  for (let i = backups; i > 0; i--) renameSync(logs.path(`log.${i}`), logs.path(`log.${i + 1}`));
  renameSync(logs.path('log'), logs.path('log.1'));
}

describe('rename and create', () => {
  test('the writer keeps the old descriptor after the rename', () => {
    using logs = new Logs();
    logs.write('log', 'a\n');
    const descriptor = openSync(logs.path('log'), 'a');
    expect(logs.poll()).toEqual(['a']);
    rotate(logs, 0);
    logs.write('log', 'new\n');
    expect(logs.poll()).toEqual(['new']);
    logs.poll(50_000);
    writeSync(descriptor, 'late\n');
    expect(logs.poll()).toEqual(['late']);
    logs.append('log', 'newer\n');
    expect(logs.settle()).toEqual(['newer']);
    expect(logs.events.finished).toBe(1);
    // Closed by now; a listing tells that it grew.
    writeSync(descriptor, 'much later\n');
    closeSync(descriptor);
    expect(logs.poll(10_000)).toEqual(['much later']);
  });

  test('two rotations between two polls', () => {
    using logs = new Logs();
    logs.write('log', 'a\n');
    expect(logs.poll()).toEqual(['a']);
    logs.append('log', 'b\n');
    rotate(logs, 0);
    logs.write('log', 'c\n');
    rotate(logs, 1);
    logs.write('log', 'd\n');
    expect(logs.poll()).toEqual(['b', 'c', 'd']);
  });

  test('restart after a rotation', () => {
    using logs = new Logs();
    logs.write('log', 'a\nb\n');
    expect(logs.poll()).toEqual(['a', 'b']);
    logs.stop();
    logs.append('log', 'c\n');
    rotate(logs, 0);
    logs.write('log', 'd\n');
    rotate(logs, 1);
    logs.write('log', 'e\n');
    expect(logs.poll()).toEqual(['c', 'd', 'e']);
  });

  test('an inode is used again', () => {
    using logs = new Logs();
    const inodes = new Set<number>();
    for (let i = 0; i < 20; i++) {
      // Written anew in place: the inode is surely the same.
      logs.write('log', `line ${i}, first\nline ${i}, second\n`);
      inodes.add(statSync(logs.path('log')).ino);
      expect(logs.poll()).toEqual([`line ${i}, first`, `line ${i}, second`]);
      logs.stop(); // Closed, as it would be for a file system to give its inode away.
    }
    expect(inodes.size).toBe(1);
  });

  test('an inode is used again for a longer file with the same beginning', () => {
    using logs = new Logs();
    const header = 'the same in every file\n'.repeat(100);
    logs.write('log', `${header}a\n`);
    expect(logs.poll().at(-1)).toBe('a');
    logs.stop();
    logs.write('log', `${header}b\nc\n`);
    expect(logs.poll().slice(-2)).toEqual(['b', 'c']);
  });

  test('rename away and back', () => {
    using logs = new Logs();
    logs.write('log', 'a\n');
    expect(logs.poll()).toEqual(['a']);
    renameSync(logs.path('log'), logs.path('elsewhere'));
    expect(logs.poll(6_000)).toEqual([]);
    logs.append('elsewhere', 'b\n');
    expect(logs.poll()).toEqual(['b']);
    renameSync(logs.path('elsewhere'), logs.path('log'));
    logs.append('log', 'c\n');
    expect(logs.poll()).toEqual(['c']);
  });

  test('the file is missing for two seconds, and missing at the start', () => {
    using logs = new Logs({ start: 'end' });
    expect(logs.poll()).toEqual([]);
    logs.write('log', 'a\n');
    expect(logs.poll()).toEqual(['a']);
    unlinkSync(logs.path('log'));
    for (let i = 0; i < 20; i++) expect(logs.poll()).toEqual([]);
    logs.write('log', 'b\n');
    expect(logs.poll()).toEqual(['b']);
  });

  test('a partial last line at the rotation', () => {
    using logs = new Logs();
    logs.write('log', 'a\ntorn');
    expect(logs.poll()).toEqual(['a']);
    rotate(logs, 0);
    logs.write('log', 'b\n');
    expect(logs.poll()).toEqual(['b']);
    expect(logs.settle()).toEqual(['torn']);
    logs.stop();
    expect(logs.poll()).toEqual([]);
  });

  test('positions are those of whole lines', () => {
    using logs = new Logs();
    logs.write('log', 'whole\nhalf');
    expect(logs.poll()).toEqual(['whole']);
    logs.stop();
    logs.append('log', ' and half\n');
    expect(logs.poll()).toEqual(['half and half']);
  });

  test('stopping with bytes unread repeats none and loses none', () => {
    using logs = new Logs();
    logs.write('log', Array.from({ length: 100_000 }, (_, i) => `${i}\n`).join(''));
    logs.bytesMax = 1;
    logs.poll();
    expect(logs.lines.length).toBeLessThan(100_000);
    logs.stop();
    logs.bytesMax = Number.POSITIVE_INFINITY;
    logs.poll();
    expect(logs.lines).toEqual(Array.from({ length: 100_000 }, (_, i) => `${i}`));
  });

  test('deleted while open', () => {
    using logs = new Logs();
    const descriptor = openSync(logs.path('log'), 'a');
    writeSync(descriptor, 'a\n');
    expect(logs.poll()).toEqual(['a']);
    unlinkSync(logs.path('log'));
    writeSync(descriptor, 'b\n');
    expect(logs.poll()).toEqual(['b']);
    logs.poll(120_000);
    writeSync(descriptor, 'nothing newer is there, so it is still read\n');
    closeSync(descriptor);
    expect(logs.poll()).toHaveLength(1);
  });

  test('backups are read oldest first, whatever the scheme of their names', () => {
    for (const names of [
      ['log.10', 'log.9', 'log.1', 'log'],
      ['log-20251231', 'log-20261120', 'log-20261121-1763683200', 'log'],
    ]) {
      using logs = new Logs();
      for (const name of [...names].reverse()) logs.write(name, `${name}\n`);
      expect(logs.poll()).toEqual(names);
    }
  });

  test('lumberjack and numbered names of policy_action.log', () => {
    using logs = new Logs({ paths: ['policy_action.log*'] });
    const names = [
      'policy_action-2026-11-20T10-00-00.000.log',
      'policy_action-2026-11-20T11-00-00.000.log',
      'policy_action20261120T120000.log',
      'policy_action.log',
    ];
    for (const name of [...names].reverse()) logs.write(name, `${name}\n`);
    logs.write('policy_actions.log', 'another file\n');
    logs.write('policy_action.log.tmp', 'matched by the glob, and a set of its own\n');
    expect(logs.poll().filter((line) => line.startsWith('policy_action'))).toEqual(names);
    expect(logs.lines).toHaveLength(5);
  });
});
