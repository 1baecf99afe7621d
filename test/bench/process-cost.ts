import { readdirSync, readFileSync } from 'node:fs';

/** CPU time, user and system, that a process has used so far, in seconds, by two of the kernel's accounts. */
export interface CpuTime {
  /** Of the threads that live now, to the nanosecond. */
  threadsS: number;
  /** Of those that have ended too, in ticks of 10 ms. */
  ticksS: number;
}

const TICKS_PER_SECOND = 100;
/** Two readings of ticks are off by so much at most. */
const TICKS_OFF_S = 0.02;

export function cpuTime(pid: number): CpuTime {
  return { threadsS: cpuSeconds(pid), ticksS: processorTicks(pid) / TICKS_PER_SECOND };
}

/** CPU between two readings, in seconds: to the nanosecond, or to the tick if a thread has ended in between. */
export function cpuBetween(before: CpuTime, after: CpuTime): number {
  const threadsS = after.threadsS - before.threadsS;
  const ticksS = after.ticksS - before.ticksS;
  return Math.abs(threadsS - ticksS) <= TICKS_OFF_S ? threadsS : ticksS;
}

/** CPU time that a process has used so far in all threads that live now, in seconds. */
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

/** User and system time of a process so far, in clock ticks (10 ms). */
export function processorTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
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
