import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Logs } from '../../helpers/file-logs.ts';

const WRITER = fileURLToPath(new URL('../../helpers/file-writer.ts', import.meta.url));
const LINES = 30_000;

test.each(['rename', 'copytruncate'])(
  'a writer that rotates by %s while it is polled, restarted and crashed: every line once',
  async (mode) => {
    using logs = new Logs();
    const writer = spawn(process.execPath, [WRITER, logs.path('log'), `${LINES}`, mode], {
      stdio: 'inherit',
    });
    const exit = once(writer, 'exit');
    // What happened when, for whoever has to find out why a line is there twice.
    const trace: string[] = [];
    let seen = 0;
    for (let i = 1; writer.exitCode === null; i++) {
      logs.poll();
      const read = logs.lines.length - seen;
      if (read > 0) trace.push(`poll ${i}: ${read} lines from ${Number.parseInt(logs.lines[seen]!, 10)}`);
      if (i % 50 === 0) logs.stop();
      else if (i % 31 === 0) logs.crash();
      else if (i % 7 === 0) logs.commit();
      if (logs.lines.length !== seen + read) trace.push(`crash ${i}: back to ${logs.lines.length} lines`);
      seen = logs.lines.length;
      await setImmediate();
    }
    expect((await exit)[0]).toBe(0);
    logs.settle();
    const numbers = logs.lines.map((line) => Number.parseInt(line, 10)).sort((a, b) => a - b);
    expect(numbers, trace.join('\n')).toEqual(Array.from({ length: LINES }, (_, i) => i));
  },
);
