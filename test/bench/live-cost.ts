import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LineSource, PacketLines, PolicyActionLines } from '../helpers/generate-lines.ts';
import { LiveWriter } from '../helpers/live-writer.ts';
import type { LiveContender, LiveKind } from './live-contenders.ts';
import { cpuBetween, cpuTime, memory } from './process-cost.ts';
import type { ReceiverProcess } from './receiver-process.ts';

export interface LiveLoad {
  kind: LiveKind;
  /** Lines a second. */
  rate: number;
  seconds: number;
  /** Seconds without lines; 0: not at all. */
  idle: number;
  /** Files that are followed, of which one is written to. */
  files: number;
}

/** What a program cost while it followed a growing file. What was not measured is NaN. */
export interface LiveCost {
  linesPerSecond: number;
  requestsPerSecond: number;
  /** Of one core. */
  cpuShare: number;
  idleCpuShare: number;
  rssBytes: number;
  anonymousBytes: number;
  /** From the time in the line to the arrival of its record at the server. */
  p50Ms: number;
  p99Ms: number;
  written: number;
  /** Lines that became records, all in all. */
  taken: number;
}

const WARM_UP_MS = 5000;
/** Windows close and files are found quiet. */
const SETTLE_MS = 10_000;
/** The last records are on their way. */
const DRAIN_MS = 3000;

/** Runs one program, alone, on lines that are written as time goes by. */
export async function measureLive(
  contender: LiveContender,
  { kind, rate, seconds, idle, files }: LiveLoad,
  folder: string,
  url: string,
  receiver: ReceiverProcess,
): Promise<LiveCost> {
  mkdirSync(folder);
  const quiet = Array.from({ length: files - 1 }, (_, n) => join(folder, `quiet-${n}`));
  for (const path of quiet) writeFileSync(path, `${path}\n`);
  const log = join(folder, 'log');
  const writer = new LiveWriter([{ path: log, source: liveLines(kind, rate), rotateBytes: 10e6 }]);
  writer.start();
  const run = contender.start({ kind, folder, log, quiet, url });
  process.once('exit', run.stop);
  const pass = async (ms: number) => {
    const ended = await Promise.race([run.ended, sleep(ms)]);
    if (ended !== undefined) throw new Error(`${contender.name} ended with ${ended}`);
  };
  await pass(WARM_UP_MS);
  let { records } = await receiver.report();
  const begin = { cpu: cpuTime(run.pid), lines: writer.lines, ms: performance.now() };
  await pass(seconds * 1000);
  const elapsedS = (performance.now() - begin.ms) / 1000;
  const cpuS = cpuBetween(begin.cpu, cpuTime(run.pid));
  const held = memory(run.pid);
  const atWork = await receiver.report();
  const linesPerSecond = (writer.lines - begin.lines) / elapsedS;
  writer.stop();

  await pass(idle > 0 ? SETTLE_MS : DRAIN_MS);
  const beforeIdle = cpuTime(run.pid);
  await pass(idle * 1000);
  const idleCpuShare = cpuBetween(beforeIdle, cpuTime(run.pid)) / idle;
  run.stop();
  const ended = await run.ended;
  process.off('exit', run.stop);
  if (ended !== 0) throw new Error(`${contender.name} ended with ${ended}`);
  records += atWork.records + (await receiver.report()).records;
  const taken = (await run.taken()) ?? records;
  rmSync(folder, { recursive: true });

  const latenciesMs = kind === 'denied' ? [] : atWork.latenciesMs;
  return {
    linesPerSecond,
    requestsPerSecond: atWork.requests / elapsedS || Number.NaN,
    cpuShare: cpuS / elapsedS,
    idleCpuShare,
    ...held,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    written: writer.lines,
    taken,
  };
}

function liveLines(kind: LiveKind, linesPerSecond: number): LineSource {
  const common = { seed: 1, startUs: Date.now() * 1000, linesPerSecond };
  if (kind === 'policy_action') return new PolicyActionLines({ ...common, denied: 0 });
  return new PacketLines({
    ...common,
    conversations: 100,
    prefixes: [kind === 'allowed' ? 'calico-allow' : 'calico-packet'],
  });
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}
