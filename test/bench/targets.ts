import type { FileKind } from '../helpers/generate-lines.ts';

/**
 * What the agent is to reach, each as a ratio of lines per CPU-second to another program in the same round, for
 * absolute figures shift with the machine.
 */
export interface Target {
  file: FileKind;
  contender: string;
  /** `best peer`: the best of the peers on the same file. */
  than: { contender: string; file: FileKind };
  atLeast: number;
}

const mawkOnDense = { contender: 'mawk key=value', file: 'dense' } as const;

export const TARGETS: readonly Target[] = [
  { file: 'dense', contender: 'agent: parse', than: mawkOnDense, atLeast: 3 },
  { file: 'dense', contender: 'agent: run --once', than: mawkOnDense, atLeast: 1.3 },
  { file: 'dense', contender: 'agent: run --once, aggregated', than: mawkOnDense, atLeast: 6 },
  { file: 'mixed', contender: 'agent: parse', than: { contender: 'grep -cF', file: 'mixed' }, atLeast: 0.4 },
  { file: 'mixed', contender: 'agent: parse', than: mawkOnDense, atLeast: 19 },
  { file: 'gke', contender: 'agent: parse', than: mawkOnDense, atLeast: 1.7 },
  { file: 'gke', contender: 'agent: parse', than: { contender: 'best peer', file: 'gke' }, atLeast: 3.5 },
];

/** What the agent is to need at most while 500 lines a second arrive; `cpuRatio` to rsyslog in the same round. */
export const LIVE_TARGET = {
  cpuPercent: 0.6,
  cpuRatio: 1,
  idleCpuPercent: 0.1,
  rssMB: 80,
  anonymousMB: 32,
  p50Ms: 250,
  p99Ms: 500,
};
