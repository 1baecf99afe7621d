import { hostname } from 'node:os';
import { bootTimeUs } from '../boot-time.ts';
import { type Loaded, type LoadedConfig, loadConfig, type NotLoaded, parseConfig } from '../config/load.ts';
import { problemText } from '../config/problem.ts';
import { parseFormat } from '../formats.ts';
import { Intake } from '../intake.ts';
import { machineTimezone } from '../machine-timezone.ts';
import { summarizeAccounts } from '../observe/accounts.ts';
import { RecordBuffer } from '../record-buffer.ts';
import type { ParseOptions } from './cli.ts';
import { EX_CONFIG, EX_IOERR, EX_NOINPUT, EX_OK, EX_USAGE } from './exit-codes.ts';
import { readLines } from './read-lines.ts';

const INPUT = 'parse';
const STANDARD_INPUT = '-';
/** Records of a file are written once so many bytes of them are there. */
const WRITE_BYTES = 128 << 10;
/** Any configuration: `parse` uses of it only what has defaults. */
const DEFAULTS =
  '{inputs: [{type: file, format: syslog, paths: [/dev/stdin]}], sinks: [{name: out, type: stdout}]}';

/**
 * Lines in, one JSON record a line out; the last line on standard error is the accounts. Without `aggregate`
 * every line that is ours becomes a record; with it they go through select, limit and windows, as the
 * configuration or its defaults say.
 * @param files paths, `-` for standard input; none: standard input
 * @returns the exit code
 */
export async function parse(files: string[], options: ParseOptions): Promise<number> {
  const nowMs = options.now === undefined ? Date.now() : Date.parse(options.now);
  if (Number.isNaN(nowMs)) return fail(`--now takes a time such as 2026-11-21T10:00:00Z, not ${options.now}`);
  const loaded: Loaded | NotLoaded =
    options.config === undefined ? parseConfig(DEFAULTS, {}) : loadConfig(options.config, process.env);
  if (!loaded.ok) {
    for (const problem of loaded.problems) say(problemText(options.config ?? '', problem));
    return loaded.unreadable ? EX_NOINPUT : EX_CONFIG;
  }
  const { config } = loaded;
  const node = options.node ?? config.node ?? hostname();
  const timezone = options.timezone ?? machineTimezone(process.env);
  const format = parseFormat(options.format, INPUT, { config, node, timezone, bootTimeUs: bootTimeUs() });
  const records = new RecordBuffer();
  const stages = options.aggregate ? config : everythingPasses(config);
  const intake = new Intake(stages, new Map([[INPUT, format]]), records, { nodeName: node });

  let exitCode = EX_OK;
  let isRead = true;
  for (const path of files.length > 0 ? files : [STANDARD_INPUT]) {
    try {
      const lines = readLines(path === STANDARD_INPUT ? 0 : path, format, node);
      const handler = intake.lane(INPUT, nowMs);
      while (isRead && (await lines.next(handler))) {
        if (lines.mayWait || records.size >= WRITE_BYTES) isRead = await write(records);
      }
      lines.close();
    } catch (error) {
      say(`cannot read ${path}: ${(error as Error).message}`);
      exitCode = (error as NodeJS.ErrnoException).code === 'ENOENT' ? EX_NOINPUT : EX_IOERR;
    }
  }
  intake.closeAll();
  if (isRead) await write(records);
  say(JSON.stringify(summarizeAccounts(intake.accounts.values(), intake.openWindows)));
  return exitCode;
}

/** The same stages, set so that every connection becomes a record of its own. */
function everythingPasses(config: LoadedConfig): LoadedConfig {
  const logged = { log: true, delegate: false };
  return {
    ...config,
    select: { ...config.select, allow: logged, deny: logged, include: [], exclude: [] },
    limit: { ...config.limit, connections_per_second: 0 },
    aggregate: { ...config.aggregate, dispositions: [] },
  };
}

/** @returns false once nobody reads standard output any more: an early end, not an error */
async function write(records: RecordBuffer): Promise<boolean> {
  const blocks = records.take();
  for (const { bytes } of blocks) {
    const failed = await new Promise<Error | null | undefined>((resolve) => {
      process.stdout.write(bytes, resolve);
    });
    if (failed) return false;
  }
  records.giveBack(blocks);
  return true;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function fail(message: string): number {
  say(message);
  return EX_USAGE;
}
