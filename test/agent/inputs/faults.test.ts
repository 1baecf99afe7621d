import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Logs } from '../../helpers/file-logs.ts';

describe('what may stand where a log should be', () => {
  test('a directory, then the file', () => {
    using logs = new Logs();
    mkdirSync(logs.path('log'));
    for (let i = 0; i < 5; i++) expect(logs.poll(6_000)).toEqual([]);
    expect(logs.messages).toEqual(['cannot read it: it is not a regular file']);
    rmdirSync(logs.path('log'));
    logs.write('log', 'a\n');
    expect(logs.poll()).toEqual(['a']);
  });

  test('a FIFO does not stop the others', () => {
    using logs = new Logs({ paths: ['fifo', 'log'] });
    execFileSync('mkfifo', [logs.path('fifo')]);
    logs.write('log', 'a\n');
    expect(logs.poll()).toEqual(['a']);
  });

  test('a socket', async () => {
    using logs = new Logs();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(logs.path('log'), resolve));
    expect(logs.poll()).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });

  test('a symbolic link, and what it is turned to', () => {
    using logs = new Logs();
    mkdirSync(logs.path('target'));
    logs.write('target/one', 'a\n');
    symlinkSync('target/one', logs.path('log'));
    expect(logs.poll()).toEqual(['a']);
    logs.write('target/two', 'b\n');
    unlinkSync(logs.path('log'));
    symlinkSync('target/two', logs.path('log'));
    expect(logs.poll()).toEqual(['b']);
  });

  test('a symbolic link that leads nowhere, or to itself', () => {
    using logs = new Logs({ paths: ['nowhere', 'itself', 'log'] });
    symlinkSync('missing', logs.path('nowhere'));
    symlinkSync('itself', logs.path('itself'));
    logs.write('log', 'a\n');
    expect(logs.poll()).toEqual(['a']);
  });

  test('backups beside the file that a symbolic link leads to', () => {
    using logs = new Logs();
    mkdirSync(logs.path('target'));
    logs.write('target/app', 'a\n');
    symlinkSync('target/app', logs.path('log'));
    logs.poll();
    logs.stop();
    logs.append('target/app', 'b\n');
    execFileSync('mv', [logs.path('target/app'), logs.path('target/app.1')]);
    logs.write('target/app', 'c\n');
    expect(logs.poll()).toEqual(['b', 'c']);
  });

  test('two paths to one file are one file', () => {
    using logs = new Logs({ paths: ['log', 'link', 'hard'] });
    logs.write('log', 'a\n');
    symlinkSync('log', logs.path('link'));
    linkSync(logs.path('log'), logs.path('hard'));
    expect(logs.poll()).toEqual(['a']);
  });
});

describe('reading that fails', () => {
  // Root may read everything, so the test becomes somebody else for a moment.
  const unprivileged = <T>(run: () => T): T => {
    if (process.getuid!() !== 0) return run();
    process.seteuid!(65_534);
    try {
      return run();
    } finally {
      process.seteuid!(0);
    }
  };

  test('no permission: said once, tried again, and nothing is lost', () => {
    using logs = new Logs({ start: 'end' });
    chmodSync(logs.directory, 0o755);
    logs.write('log', 'before the start\n');
    chmodSync(logs.path('log'), 0o000);
    unprivileged(() => {
      for (let i = 0; i < 5; i++) expect(logs.poll(6_000)).toEqual([]);
    });
    expect(logs.messages).toHaveLength(1);
    expect(logs.messages[0]).toContain('permission');
    chmodSync(logs.path('log'), 0o644);
    unprivileged(() => expect(logs.poll(6_000)).toEqual([]));
    logs.append('log', 'a\n');
    unprivileged(() => expect(logs.poll()).toEqual(['a']));
    expect(logs.messages).toHaveLength(2);
  });

  test('a descriptor that goes bad stops only its own file', () => {
    using logs = new Logs({ paths: ['log', '/proc/self/mem', 'other'] });
    logs.write('log', 'a\n');
    logs.write('other', 'b\n');
    expect(logs.poll()).toEqual(['a', 'b']);
  });
});

describe('bounds', () => {
  test('a gigabyte without a newline takes no more memory than the buffer', () => {
    using logs = new Logs({ line_bytes_max: 65_536 });
    const piece = 'x'.repeat(16 * 1024 * 1024);
    logs.write('log', 'a\n');
    logs.poll();
    const before = process.memoryUsage();
    for (let i = 0; i < 64; i++) {
      logs.append('log', piece);
      expect(logs.poll()).toEqual([]);
    }
    const after = process.memoryUsage();
    expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(2 ** 22);
    expect(logs.refused).toEqual(['too_long']);
    logs.stop();
    logs.append('log', 'its end\nb\n');
    expect(logs.poll()).toEqual(['b']);
    expect(logs.refused).toEqual(['too_long']);
  });

  test('no more than asked for is read at once, and files take turns', () => {
    using logs = new Logs({ paths: ['one', 'two'] });
    logs.write('one', `1${'.'.repeat(98)}\n`.repeat(100_000));
    logs.write('two', '2\n');
    logs.bytesMax = 2 * 1024 * 1024;
    const first = logs.poll();
    expect(first.length).toBeLessThan(30_000);
    expect(first).toContain('2');
    expect(logs.input.nextPollMs(logs.nowMs)).toBe(0);
    expect(logs.input.lag().some(({ bytes }) => bytes > 0)).toBe(true);
    while (logs.poll().length > 0);
    expect(logs.lines).toHaveLength(100_001);
    expect(logs.input.lag().every(({ bytes }) => bytes === 0)).toBe(true);
  });

  test('a quiet input is polled ever more seldom, down to once a second', () => {
    using logs = new Logs();
    logs.write('log', 'a\n');
    logs.poll();
    expect(logs.input.nextPollMs(logs.nowMs)).toBe(100);
    expect(logs.input.nextPollMs(logs.nowMs + 60_000)).toBe(1_000);
  });
});

describe('the first start', () => {
  test('start: end begins after the last whole line', () => {
    using logs = new Logs({ start: 'end' });
    logs.write('log.1', 'old\n');
    logs.write('log', 'old\nto');
    expect(logs.poll()).toEqual([]);
    logs.append('log', 'rn\n');
    expect(logs.poll()).toEqual(['torn']);
  });

  test('a file that is made while the agent is down is read from its beginning, if it had been started', () => {
    using logs = new Logs({ start: 'end' });
    logs.poll();
    logs.stop();
    logs.write('log', 'a\n');
    expect(logs.poll()).toEqual(['a']);
  });

  test('without state the same lines give the same ids, whatever their files are called', () => {
    using logs = new Logs();
    logs.write('log', 'a\na\nb\n');
    logs.poll();
    const ids = [...logs.ids];
    expect(new Set(ids).size).toBe(3);
    logs.loseState();
    execFileSync('mv', [logs.path('log'), logs.path('log.1')]);
    execFileSync('gzip', [logs.path('log.1')]);
    expect(logs.poll()).toEqual(['a', 'a', 'b']);
    expect(logs.ids).toEqual(ids);
  });
});
