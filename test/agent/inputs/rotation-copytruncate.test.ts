import { copyFileSync, renameSync, truncateSync, unlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Logs } from '../../helpers/file-logs.ts';

function copyTruncate(logs: Logs): void {
  copyFileSync(logs.path('log'), logs.path('log.1'));
  truncateSync(logs.path('log'));
}

const long = (letter: string) => letter.repeat(200);

describe('copy and truncate', () => {
  test('what was not read is read from the copy, what was is not', () => {
    using logs = new Logs();
    logs.write('log', 'a\n');
    expect(logs.poll()).toEqual(['a']);
    logs.append('log', 'b\n');
    copyTruncate(logs);
    logs.append('log', 'c\n');
    expect(logs.poll()).toEqual(['b', 'c']);
    expect(logs.settle()).toEqual([]);
    expect(logs.events.truncated).toBe(1);
  });

  test('regrown past the old offset before the next poll', () => {
    using logs = new Logs();
    logs.write('log', 'a\n');
    expect(logs.poll()).toEqual(['a']);
    copyTruncate(logs);
    logs.append('log', `${long('b')}\n${long('c')}\n`);
    expect(logs.poll()).toEqual([long('b'), long('c')]);
  });

  test('regrown to exactly the old size', () => {
    using logs = new Logs();
    logs.write('log', 'aaaa\n');
    expect(logs.poll()).toEqual(['aaaa']);
    copyTruncate(logs);
    logs.append('log', 'bbbb\n');
    expect(logs.poll()).toEqual(['bbbb']);
  });

  test('regrown with the same last kilobyte before the old offset', () => {
    using logs = new Logs();
    const same = 'the same line, again and again\n'.repeat(100);
    logs.write('log', `a\n${same}`);
    expect(logs.poll()).toHaveLength(101);
    copyTruncate(logs);
    logs.append('log', `b\n${same}c\n`);
    expect(logs.poll()).toHaveLength(102);
  });

  test('polled between the copy and the truncation', () => {
    using logs = new Logs();
    logs.write('log', 'a\n');
    logs.poll();
    logs.append('log', 'b\n');
    copyFileSync(logs.path('log'), logs.path('log.1'));
    expect(logs.poll()).toEqual(['b']);
    logs.stop();
    truncateSync(logs.path('log'));
    logs.append('log', 'c\n');
    expect(logs.poll()).toEqual(['c']);
    expect(logs.settle()).toEqual([]);
  });

  test('lines read after the copy was made are not in it, and the copy is not read again', () => {
    using logs = new Logs();
    logs.write('log', `${long('a')}\n`.repeat(50));
    expect(logs.poll()).toHaveLength(50);
    copyFileSync(logs.path('log'), logs.path('log.1'));
    logs.poll();
    logs.append('log', 'read, then truncated\n');
    expect(logs.poll()).toHaveLength(1);
    truncateSync(logs.path('log'));
    logs.append('log', 'b\n');
    expect(logs.poll()).toEqual(['b']);
    logs.stop();
    expect(logs.settle()).toEqual([]);
  });

  test('the copy is made while the agent is away', () => {
    using logs = new Logs();
    logs.write('log', 'a\n');
    logs.poll();
    logs.stop();
    logs.append('log', 'b\n');
    copyTruncate(logs);
    logs.append('log', 'c\n');
    renameSync(logs.path('log.1'), logs.path('log.2'));
    copyTruncate(logs);
    logs.append('log', 'd\n');
    expect(logs.poll()).toEqual(['b', 'c', 'd']);
  });

  test('truncated without a backup: what follows is read from its beginning', () => {
    using logs = new Logs();
    logs.write('log', 'a\nb\n');
    logs.poll();
    truncateSync(logs.path('log'));
    expect(logs.poll()).toEqual([]);
    logs.append('log', 'c\n');
    expect(logs.poll()).toEqual(['c']);
  });

  test('a writer that does not append leaves a hole, which is passed over', () => {
    using logs = new Logs();
    logs.write('log', `${long('a')}\n`);
    logs.poll();
    truncateSync(logs.path('log'));
    truncateSync(logs.path('log'), 1_000_000);
    expect(logs.poll()).toEqual([]);
    logs.append('log', 'b\n');
    expect(logs.poll()).toEqual(['b']);
    expect(logs.events.nul_bytes).toBe(1_000_000);
    logs.append('log', 'c\n');
    expect(logs.poll()).toEqual(['c']);
  });

  test('a copy of a deleted file that took its place is not read again', () => {
    using logs = new Logs();
    logs.write('log', `${long('a')}\n${long('b')}\n`);
    logs.poll();
    copyFileSync(logs.path('log'), logs.path('aside'));
    unlinkSync(logs.path('log'));
    renameSync(logs.path('aside'), logs.path('log'));
    logs.append('log', 'c\n');
    expect(logs.poll()).toEqual(['c']);
  });
});
