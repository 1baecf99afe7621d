import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FileKind, type GeneratedFile, generateFile } from '../helpers/generate-lines.ts';
import { type Contender, contenders } from './contenders.ts';
import { type Cost, measure } from './measure.ts';
import { addResult, type Results } from './results.ts';
import { costTable, parseSize, targetTable } from './tables.ts';
import { TARGETS } from './targets.ts';

/**
 * The built agent, as a whole process from file to file, beside mawk, grep, wc and other log agents on the same
 * files. All take turns, round by round, and ratios are taken within a round, so that a machine that
 * slows down slows them all. It prints; it judges nothing.
 */
const USAGE = `usage: bench.ts [options]
  --size SIZE     size of the dense and mixed files (default 1GB); gke is half of it
  --only FILE     dense, mixed, gke or wide (may be given several times; default: dense, mixed, gke)
  --runs N        rounds (default 3)
  --quick         --size 20MB --runs 1
  --folder PATH   where files are generated and kept (default: a folder in ${tmpdir()})`;

const KINDS: readonly FileKind[] = ['dense', 'mixed', 'gke', 'wide'];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      size: { type: 'string' },
      only: { type: 'string', multiple: true },
      runs: { type: 'string' },
      quick: { type: 'boolean' },
      folder: { type: 'string', default: join(tmpdir(), 'policy-log-agent-bench') },
      help: { type: 'boolean' },
    },
  });
  const bytes = parseSize(values.size ?? (values.quick ? '20MB' : '1GB'));
  const runs = Number(values.runs ?? (values.quick ? 1 : 3));
  const kinds = (values.only ?? ['dense', 'mixed', 'gke']) as FileKind[];
  const isValid =
    bytes > 0 && Number.isInteger(runs) && runs > 0 && kinds.every((kind) => KINDS.includes(kind));
  if (values.help || !isValid) {
    process.stderr.write(`${USAGE}\n`);
    return values.help ? 0 : 64;
  }

  const { present, missing } = contenders();
  const files = new Map<FileKind, GeneratedFile>();
  for (const kind of kinds) {
    const file = generateFile(values.folder, kind, kind === 'gke' ? bytes / 2 : bytes);
    files.set(kind, file);
    warm(file);
    process.stdout.write(`${describe(kind, file)}\n`);
  }
  if (!files.has('dense')) files.set('dense', generateFile(values.folder, 'dense', bytes));
  if (missing.length > 0) process.stdout.write(`not installed: ${missing.join(', ')}\n`);

  const results: Results<Cost> = new Map();
  for (let round = 1; round <= runs; round++) {
    for (const [kind, file] of files) {
      for (const contender of present) {
        // The yardstick of all targets takes part in every round.
        const isNeeded = kinds.includes(kind) || contender.name.startsWith('mawk');
        if (!isNeeded || !contender.files.includes(kind)) continue;
        process.stderr.write(`round ${round} of ${runs}: ${kind}, ${contender.name}\n`);
        const cost = await runOnce(contender, kind, file, values.folder);
        addResult(results, kind, contender.name, cost);
      }
    }
  }
  process.stdout.write(
    `\n${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; medians of ${runs}\n`,
  );
  for (const kind of kinds) process.stdout.write(`\n${costTable(kind, files.get(kind)!, present, results)}`);
  process.stdout.write(
    `\n${targetTable(
      TARGETS.filter((target) => kinds.includes(target.file)),
      files,
      present,
      results,
    )}`,
  );
  return 0;
}

async function runOnce(
  contender: Contender,
  kind: FileKind,
  file: GeneratedFile,
  folder: string,
): Promise<Cost> {
  const work = join(folder, `work-${process.pid}`);
  mkdirSync(work);
  try {
    const cost = await measure(contender.command(file, work));
    const found = await contender.found(work);
    const matching = contender.name === 'wc -l' ? file.lines : file.matching;
    const records = contender.aggregates ? file.matching - (file.merged ?? Number.NaN) : matching;
    if (found.matching !== matching || (found.records !== records && !Number.isNaN(records))) {
      process.stdout.write(
        `UNEQUAL: ${contender.name} on ${kind} found ${found.matching} lines (${found.records} records) of ${matching} (${records})\n`,
      );
    }
    return cost;
  } finally {
    rmSync(work, { recursive: true });
  }
}

function describe(kind: FileKind, file: GeneratedFile): string {
  const share = (part: number, of: number) => `${((100 * part) / of).toFixed(1)} %`;
  const merged =
    file.merged === undefined ? '' : `; windows of 5 s merge ${share(file.merged, file.matching)} of them`;
  return (
    `${kind}: ${file.bytes / 1e6} MB, ${file.lines} lines of ${Math.round(file.bytes / file.lines)} bytes, ` +
    `${share(file.matching, file.lines)} of them ours${merged}`
  );
}

/** Reads a file once, so that the first program does not pay for the disk. */
function warm(file: GeneratedFile): void {
  if (file.bytes < 2 ** 31) readFileSync(file.path);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n${USAGE}\n`);
  process.exitCode = 1;
}
