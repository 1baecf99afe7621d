import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

export interface PodUsage {
  cpuSeconds: number;
  /** Memory that is the process's own: not the pages of files that it read. */
  memoryBytes: number;
}

/** What the control group of a process has used. @param cgroup the text of its /proc/PID/cgroup */
export function podUsage(cgroup: string): PodUsage {
  const paths = new Map(
    cgroup
      .trim()
      .split('\n')
      .flatMap((line) => {
        const [, controllers = '', path = ''] = line.split(':');
        return controllers.split(',').map((controller) => [controller, path] as const);
      }),
  );
  const unified = paths.get('');
  const memory = paths.get('memory');
  if (memory === undefined) {
    const read = (file: string) => readFileSync(join(ROOT, unified ?? '', file), 'utf8');
    return {
      cpuSeconds: field(read('cpu.stat'), 'usage_usec') / 1e6,
      memoryBytes: field(read('memory.stat'), 'anon'),
    };
  }
  const nanoseconds = readFileSync(
    join(ROOT, 'cpuacct', paths.get('cpuacct') ?? '', 'cpuacct.usage'),
    'utf8',
  );
  const stat = readFileSync(join(ROOT, 'memory', memory, 'memory.stat'), 'utf8');
  return { cpuSeconds: Number(nanoseconds) / 1e9, memoryBytes: field(stat, 'total_rss') };
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}
