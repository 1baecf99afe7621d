import type { LiveContender, LiveKind } from './live-contenders.ts';
import type { LiveCost } from './live-cost.ts';
import { median, type Results, resultKey } from './results.ts';
import { align } from './tables.ts';
import { LIVE_TARGET } from './targets.ts';

/** Whose CPU the others' is a ratio to. */
const YARDSTICK = 'rsyslog';

/** What every program cost on lines of one kind, medians over the rounds, and what the agent is to cost at most. */
export function liveTable(
  kind: LiveKind,
  contenders: readonly Pick<LiveContender, 'name' | 'does'>[],
  results: Results<LiveCost>,
): string {
  const rows = [
    [
      '',
      'records go to',
      'CPU %',
      `× ${YARDSTICK}`,
      'idle CPU %',
      'RSS MB',
      'anonymous MB',
      'requests/s',
      'p50 ms',
      'p99 ms',
    ],
  ];
  const yardstick = results.get(resultKey(kind, YARDSTICK));
  for (const { name, does } of contenders) {
    const costs = results.get(resultKey(kind, name));
    if (costs === undefined) continue;
    const figure = (of: (cost: LiveCost) => number, digits: number) =>
      fixed(median(costs.map((cost) => of(cost))), digits);
    rows.push([
      name,
      does,
      figure((cost) => 100 * cost.cpuShare, 2),
      yardstick === undefined ? '-' : fixed(cpuRatio(costs, yardstick), 2),
      figure((cost) => 100 * cost.idleCpuShare, 2),
      figure((cost) => cost.rssBytes / 1e6, 1),
      figure((cost) => cost.anonymousBytes / 1e6, 1),
      figure((cost) => cost.requestsPerSecond, 1),
      figure((cost) => cost.p50Ms, 0),
      figure((cost) => cost.p99Ms, 0),
    ]);
  }
  const { cpuPercent, cpuRatio: ratio, idleCpuPercent, rssMB, anonymousMB, p50Ms, p99Ms } = LIVE_TARGET;
  const most = [cpuPercent, ratio, idleCpuPercent, rssMB, anonymousMB, '', p50Ms, p99Ms];
  rows.push(['the agent is to need', 'at most', ...most.map(String)]);
  const all = contenders.flatMap(({ name }) => results.get(resultKey(kind, name)) ?? []);
  const linesPerSecond = median(all.map((cost) => cost.linesPerSecond));
  return `${kind}: ${Math.round(linesPerSecond)} lines/s\n${align(rows, 2)}`;
}

/** Median over the rounds. */
function cpuRatio(ours: readonly LiveCost[], others: readonly LiveCost[]): number {
  return median(ours.map((cost, round) => cost.cpuShare / others[round]!.cpuShare));
}

function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}
