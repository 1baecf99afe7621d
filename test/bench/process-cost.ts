import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that a process has used so far in all its threads, in seconds. */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
    } catch {
      // The thread has just ended.
    }
  }
  return nanoseconds / 1e9;
}

export interface Memory {
  rssBytes: number;
  anonymousBytes: number;
}

/** What a process holds in memory now. */
export function memory(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1]) * 1024;
  return { rssBytes: field('Rss'), anonymousBytes: field('Anonymous') };
}
