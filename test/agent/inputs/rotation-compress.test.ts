import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Logs, plainFormat } from '../../helpers/file-logs.ts';

const kinds = [
  ['gz', gzipSync],
  ['zst', zstdCompressSync],
] as const;

describe.each(kinds)('compressed backups, .%s', (suffix, pack) => {
  function compress(logs: Logs, name: string): void {
    writeFileSync(logs.path(`${name}.${suffix}`), pack(readFileSync(logs.path(name))));
    unlinkSync(logs.path(name));
  }

  test('a file left half-read is read on after it was compressed', () => {
    using logs = new Logs();
    logs.write('log', 'a\n');
    logs.poll();
    logs.stop();
    logs.append('log', 'b\n');
    renameSync(logs.path('log'), logs.path('log.1'));
    compress(logs, 'log.1');
    logs.write('log', 'c\n');
    expect(logs.poll()).toEqual(['b', 'c']);
    logs.stop();
    expect(logs.settle()).toEqual([]);
  });

  test('a backup that nobody saw before it was compressed', () => {
    using logs = new Logs({ start: 'end' });
    logs.write('log', 'a\n');
    expect(logs.poll()).toEqual([]);
    logs.stop();
    renameSync(logs.path('log'), logs.path('log.2'));
    logs.write('log.1', 'b\n');
    compress(logs, 'log.2');
    compress(logs, 'log.1');
    logs.write('log', 'c\n');
    expect(logs.poll()).toEqual(['b', 'c']);
  });

  test('compressed while it is open: nothing twice', () => {
    using logs = new Logs();
    logs.write('log', 'a\ntorn');
    logs.poll();
    renameSync(logs.path('log'), logs.path('log.1'));
    logs.write('log', 'b\n');
    compress(logs, 'log.1');
    expect(logs.poll()).toEqual(['b']);
    expect(logs.settle()).toEqual(['torn']);
    expect(logs.settle()).toEqual([]);
  });

  test('start: beginning reads them, start: end does not, now or later', () => {
    for (const start of ['beginning', 'end'] as const) {
      using logs = new Logs({ start });
      logs.write('log.1', 'a\n');
      compress(logs, 'log.1');
      logs.write('log', 'b\n');
      expect(logs.poll()).toEqual(start === 'end' ? [] : ['a', 'b']);
      logs.stop();
      renameSync(logs.path(`log.1.${suffix}`), logs.path(`log.2.${suffix}`));
      expect(logs.settle()).toEqual([]);
    }
  });

  test('many times the memory that it may take', () => {
    using logs = new Logs();
    const line = 'x'.repeat(999);
    writeFileSync(logs.path(`log.1.${suffix}`), pack(Buffer.from(`${line}\n`.repeat(50_000))));
    logs.bytesMax = 1;
    let polls = 0;
    while (logs.lines.length < 50_000) {
      logs.poll();
      polls++;
      expect(polls).toBeLessThan(1_000);
    }
    expect(polls).toBeGreaterThan(100);
  });

  test('where to read on is far away: sought in steps, and newer files wait', () => {
    using logs = new Logs();
    logs.format = plainFormat(['line']);
    logs.write('log', `${'nothing of ours\n'.repeat(3_000_000)}line 0\n`);
    logs.append('log', 'line 1, torn');
    expect(logs.poll()).toEqual(['line 0']);
    logs.stop();
    logs.append('log', ' until now\n');
    renameSync(logs.path('log'), logs.path('log.1'));
    compress(logs, 'log.1');
    logs.write('log', 'line 2\n');
    let steps = 0;
    for (logs.poll(); logs.lines.length === 1; logs.poll()) {
      expect(logs.input.nextPollMs(logs.nowMs)).toBe(0);
      steps++;
    }
    expect(steps).toBeGreaterThan(3);
    expect(logs.settle()).toEqual([]);
    expect(logs.lines).toEqual(['line 0', 'line 1, torn until now', 'line 2']);
    logs.stop();
    expect(logs.settle()).toEqual([]);
  });

  test('several contents that begin alike, each far into its file', () => {
    using logs = new Logs();
    logs.format = plainFormat(['line']);
    const header = 'the same in every file\n'.repeat(100);
    for (let i = 0; i < 3; i++) {
      logs.write('log', `${header}${`${i} nothing of ours\n`.repeat(600_000 + i)}line ${i}\n`);
      logs.poll();
      logs.append('log', `line ${i}, later\n`);
      renameSync(logs.path('log'), logs.path(`log.${3 - i}`));
    }
    logs.stop();
    for (let i = 1; i <= 3; i++) compress(logs, `log.${i}`);
    logs.settle();
    expect(logs.lines.toSorted()).toEqual([0, 1, 2].flatMap((i) => [`line ${i}`, `line ${i}, later`]));
  });

  test('cut short or not what it says: what there is, and no crash', () => {
    using logs = new Logs();
    const whole = pack(Buffer.from('a\nb\n'));
    writeFileSync(logs.path(`log.2.${suffix}`), 'not compressed at all');
    writeFileSync(logs.path(`log.1.${suffix}`), whole.subarray(0, whole.length - 6));
    logs.write('log', 'c\n');
    expect(logs.settle().at(-1)).toBe('c');
  });
});
