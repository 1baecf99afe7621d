import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { processorTicks } from './process-cost.ts';

/** What one run of a program cost. */
export interface Cost {
  wallS: number;
  /** User and system time of the process and all its threads, as the kernel accounts it. */
  cpuS: number;
  /** The highest resident set, as the kernel keeps it (VmHWM); read until shortly before the end. */
  peakRssBytes: number;
}

export interface Command {
  argv: readonly string[];
  env?: Record<string, string>;
  /** Where its standard output goes. */
  stdout: string;
  stderr: string;
  /** It does not end by itself: SIGTERM once it has used no processor for a while. */
  untilIdle?: boolean;
}

/** The shell's `times` knows what its ended children used; Node tells that of no child. */
const TIMED = '"$@" & echo $! >&3; wait $!; code=$?; times >&3; exit $code';
const SAMPLE_MS = 15;
const IDLE_MS = 600;

/** Runs a program to its end, alone. */
export async function measure(command: Command): Promise<Cost> {
  const stdout = openSync(command.stdout, 'w');
  const stderr = openSync(command.stderr, 'w');
  const startedMs = performance.now();
  const shell = spawn('bash', ['-c', TIMED, 'bash', ...command.argv], {
    stdio: ['ignore', stdout, stderr, 'pipe'],
    env: { ...process.env, ...command.env },
  });
  closeSync(stdout);
  closeSync(stderr);
  let told = '';
  (shell.stdio[3] as NodeJS.ReadableStream).on('data', (chunk) => {
    told += chunk;
  });
  let endedMs = 0;
  const ended = once(shell, 'close').then(([code]) => {
    endedMs = performance.now();
    return code as number;
  });
  const watched = await watch(shell, () => Number.parseInt(told, 10), command.untilIdle === true);
  const code = await ended;
  if (code !== 0) {
    throw new Error(
      `cannot measure "${command.argv.join(' ')}": it ended with ${code}\n${tail(command.stderr)}`,
    );
  }
  const [, children] = [...told.matchAll(/(\d+)m([\d.]+)s (\d+)m([\d.]+)s/g)];
  const [userM, userS, systemM, systemS] = children!.slice(1).map(Number) as [number, number, number, number];
  return {
    wallS: ((watched.idleSinceMs ?? endedMs) - startedMs) / 1000,
    cpuS: (userM + systemM) * 60 + userS + systemS,
    peakRssBytes: watched.peakRssBytes,
  };
}

/** Samples a process while it runs; stops it when it is idle, if that is its end. */
async function watch(shell: ChildProcess, pid: () => number, untilIdle: boolean) {
  let peakRssBytes = 0;
  let ticks = -1;
  let changedMs = performance.now();
  let idleSinceMs: number | undefined;
  while (shell.exitCode === null) {
    try {
      const status = readFileSync(`/proc/${pid()}/status`, 'latin1');
      peakRssBytes = Math.max(peakRssBytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024);
      const used = processorTicks(pid());
      if (used !== ticks) {
        ticks = used;
        changedMs = performance.now();
      } else if (untilIdle && idleSinceMs === undefined && performance.now() - changedMs > IDLE_MS) {
        idleSinceMs = changedMs;
        process.kill(pid(), 'SIGTERM');
      }
    } catch {
      // It has not begun, or it has just ended.
    }
    await sleep(SAMPLE_MS);
  }
  return { peakRssBytes, idleSinceMs };
}

/** The end of a text file, for messages. */
export function tail(path: string, characters = 2000): string {
  return readFileSync(path, 'utf8').slice(-characters).trim();
}
