import type { FileKind, GeneratedFile } from '../helpers/generate-lines.ts';
import type { Contender } from './contenders.ts';
import type { Cost } from './measure.ts';
import { median, type Results, resultKey } from './results.ts';
import type { Target } from './targets.ts';

/** What every program did with one file; figures are medians over the rounds. */
export function costTable(
  kind: FileKind,
  file: GeneratedFile,
  contenders: readonly Contender[],
  results: Results<Cost>,
): string {
  const rows = [['', 'lines/s', 'lines/CPU-s', 'MB/s', 'peak RSS MB', '× mawk', '× grep']];
  for (const { name } of contenders) {
    const costs = results.get(resultKey(kind, name));
    if (costs === undefined) continue;
    const ratioTo = (other: string) => {
      const others = results.get(resultKey(kind, other));
      return others === undefined ? '-' : format(ratio(costs, others, 1));
    };
    const wallS = median(costs.map((cost) => cost.wallS));
    rows.push([
      name,
      thousands(file.lines / wallS),
      thousands(file.lines / median(costs.map((cost) => cost.cpuS))),
      format(file.bytes / 1e6 / wallS),
      format(median(costs.map((cost) => cost.peakRssBytes)) / 1e6),
      ratioTo('mawk key=value'),
      ratioTo('grep -cF'),
    ]);
  }
  return `${kind}\n${align(rows)}`;
}

/** Every target with its figure. */
export function targetTable(
  targets: readonly Target[],
  files: ReadonlyMap<FileKind, GeneratedFile>,
  contenders: readonly Contender[],
  results: Results<Cost>,
): string {
  const rows = [['target (ratio of lines per CPU-second)', 'at least', 'measured', '']];
  for (const { file, contender, than, atLeast } of targets) {
    const ours = results.get(resultKey(file, contender));
    const other = than.contender === 'best peer' ? bestPeer(than.file, contenders, results) : than.contender;
    const others = other === undefined ? undefined : results.get(resultKey(than.file, other));
    const label = `${file}, ${contender}, to ${other ?? than.contender} on ${than.file}`;
    if (ours === undefined || others === undefined) {
      rows.push([label, `${atLeast} ×`, '-', 'not measured']);
      continue;
    }
    const scale = files.get(file)!.lines / files.get(than.file)!.lines;
    const measured = ratio(ours, others, scale);
    rows.push([label, `${atLeast} ×`, `${format(measured)} ×`, measured >= atLeast ? 'met' : 'missed']);
  }
  return align(rows);
}

/** Median over the rounds of how much less CPU `ours` took than `others`, times `scale`. */
function ratio(ours: readonly Cost[], others: readonly Cost[], scale: number): number {
  return median(ours.map((cost, round) => (scale * others[round]!.cpuS) / cost.cpuS));
}

function bestPeer(
  kind: FileKind,
  contenders: readonly Contender[],
  results: Results<Cost>,
): string | undefined {
  const cpuS = (name: string) => median(results.get(resultKey(kind, name))!.map((cost) => cost.cpuS));
  return contenders
    .filter(({ name, role }) => role === 'peer' && results.has(resultKey(kind, name)))
    .map(({ name }) => name)
    .toSorted((a, b) => cpuS(a) - cpuS(b))[0];
}

/** `20MB`, `1GB`: decimal units. NaN for what is no size. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(KB|MB|GB)$/.exec(text);
  return match === null
    ? Number.NaN
    : Number(match[1]) * { KB: 1e3, MB: 1e6, GB: 1e9 }[match[2] as 'KB' | 'MB' | 'GB'];
}

function thousands(value: number): string {
  return Number.isFinite(value) ? `${Math.round(value / 1000).toLocaleString('en')},000` : '-';
}

/** Three digits, or as many as stand before the point. */
function format(value: number): string {
  if (!Number.isFinite(value) || value === 0) return '-';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

/** Columns of equal width: the first, or as many as told, to the left, the others to the right. */
export function align(rows: readonly (readonly string[])[], left = 1): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const text = rows.map((row) =>
    row
      .map((cell, column) => (column < left ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
  return `${text.join('\n')}\n`;
}
