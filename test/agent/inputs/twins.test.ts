import { renameSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Logs, plainFormat } from '../../helpers/file-logs.ts';

const config = { format: 'syslog' as const, paths: ['syslog', 'kern.log'] };

function logsOf(): Logs {
  const logs = new Logs(config);
  logs.format = plainFormat(['calico']);
  return logs;
}

function both(logs: Logs, line: string): void {
  logs.append('syslog', `${line}\n`);
  logs.append('kern.log', `${line}\n`);
}

describe('files that hold the same lines', () => {
  test('are read once: the first in the configured order', () => {
    using logs = logsOf();
    both(logs, '1 calico');
    expect(logs.poll()).toEqual(['1 calico']);
    both(logs, '2 calico');
    expect(logs.poll()).toEqual(['2 calico']);
    expect(logs.poll(70_000)).toEqual([]);
    expect(logs.messages).toEqual(['not read: it holds the same lines as another file']);
    expect(logs.input.lag().map(({ path }) => path)).toEqual([logs.path('syslog')]);
  });

  test('whichever is written first', () => {
    using logs = logsOf();
    logs.append('syslog', '0 other\n');
    logs.append('kern.log', '1 calico\n');
    expect(logs.poll()).toEqual([]);
    logs.append('syslog', '1 calico\n');
    expect(logs.poll()).toEqual(['1 calico']);
    expect(logs.poll(5_000)).toEqual([]);
  });

  test('through rotation and restart', () => {
    using logs = logsOf();
    for (let i = 0; i < 5; i++) {
      both(logs, `${i} calico`);
      logs.poll();
      for (const name of ['syslog', 'kern.log']) {
        for (let backup = i; backup > 0; backup--) {
          renameSync(logs.path(`${name}.${backup}`), logs.path(`${name}.${backup + 1}`));
        }
        renameSync(logs.path(name), logs.path(`${name}.1`));
      }
      both(logs, `${i}b calico`);
      logs.poll();
      logs.stop();
    }
    logs.settle();
    expect(new Set(logs.lines).size).toBe(10);
    expect(logs.lines).toHaveLength(10);
  });

  test('are both read when they are not the same', () => {
    using logs = logsOf();
    logs.append('syslog', '1 other\n');
    logs.append('kern.log', '1 calico\n');
    expect(logs.poll()).toEqual([]);
    expect(logs.poll(2_000)).toEqual(['1 calico']);
    logs.append('kern.log', '2 calico\n');
    expect(logs.poll()).toEqual(['2 calico']);
  });

  test('when they part, nothing of the second is lost', () => {
    using logs = logsOf();
    both(logs, '1 calico');
    expect(logs.poll()).toEqual(['1 calico']);
    logs.append('kern.log', '2 calico\n');
    logs.append('kern.log', '3 calico\n');
    expect(logs.poll(60_000)).toEqual([]);
    expect(logs.poll(2_000)).toEqual(['2 calico', '3 calico']);
  });
});
