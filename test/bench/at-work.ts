import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generateFile } from '../helpers/generate-lines.ts';
import {
  agent,
  LIVE_KINDS,
  type LiveContender,
  type LiveKind,
  liveContenders,
  PEER_NAMES,
} from './live-contenders.ts';
import { type LiveCost, type LiveLoad, measureLive } from './live-cost.ts';
import { liveTable } from './live-table.ts';
import { MARKER_IP } from './receiver.ts';
import { ReceiverProcess } from './receiver-process.ts';
import { addResult, type Results } from './results.ts';

/**
 * The built agent as it works on a node: metrics and outbox on, an HTTP sink to a server in another process, 500
 * lines a second; beside it other log agents on the same lines, one after the other. Prints what each costs, how
 * late records are, and what it costs when nothing happens; before that, how long the agent's start takes and a
 * backlog of 60 MB. It prints; it judges nothing.
 */
const USAGE = `usage: at-work.ts [options]
  --lines KIND    what the lines are (may be given several times; default: allowed, policy_action):
                  allowed: packets, every one a record; denied: packets, most of which merge;
                  policy_action: allowed connections in GKE's JSON
  --only NAME     who takes part (may be given several times; default: agent, and those that are installed of
                  ${PEER_NAMES.join(', ')})
  --rate N        lines a second (default 500)
  --seconds N     how long (default 60)
  --idle N        how long without lines (default 30; 0: not at all)
  --runs N        rounds (default 1)
  --files N       how many files are followed, of which one is written to (default 1; the agent alone has more)
  --no-start      without start and backlog`;

const BACKLOG_BYTES = 60e6;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      lines: { type: 'string', multiple: true, default: ['allowed', 'policy_action'] },
      only: { type: 'string', multiple: true },
      rate: { type: 'string', default: '500' },
      seconds: { type: 'string', default: '60' },
      idle: { type: 'string', default: '30' },
      runs: { type: 'string', default: '1' },
      files: { type: 'string', default: '1' },
      'no-start': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const [rate, seconds, idle] = [Number(values.rate), Number(values.seconds), Number(values.idle)];
  const [files, runs] = [Number(values.files), Number(values.runs)];
  const kinds = values.lines as LiveKind[];
  const { present, missing } = liveContenders();
  const only = values.only ?? (files > 1 ? [agent.name] : present.map(({ name }) => name));
  const isValid =
    rate > 0 &&
    seconds > 0 &&
    idle >= 0 &&
    runs >= 1 &&
    files >= 1 &&
    kinds.every((kind) => LIVE_KINDS.includes(kind)) &&
    only.every((name) => name === agent.name || PEER_NAMES.includes(name));
  if (values.help || !isValid) {
    process.stderr.write(`${USAGE}\n`);
    return values.help ? 0 : 64;
  }
  const absent = only.filter((name) => missing.includes(name));
  if (absent.length > 0) throw new Error(`cannot measure what is not installed: ${absent.join(', ')}`);
  // A terminal's Ctrl-C ends neither the agent nor rsyslogd; our exit does.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const folder = mkdtempSync(join(tmpdir(), 'policy-log-agent-at-work-'));
  const receiver = new ReceiverProcess();
  try {
    const url = await receiver.url();
    if (!values['no-start']) {
      const firstMs = await start(join(folder, 'first'), url, receiver, 0);
      print(`the agent's start to its first record: ${firstMs} ms (at most 500 ms)`);
      const backlogMs = await start(join(folder, 'backlog'), url, receiver, BACKLOG_BYTES);
      print(`the agent's start and a backlog of 60 MB: ${backlogMs} ms (at most 2000 ms)`);
    }
    if (values.only === undefined && missing.length > 0) print(`not installed: ${missing.join(', ')}`);
    const contenders = present.filter(({ name }) => only.includes(name));
    const loads = kinds.map((kind) => ({ kind, rate, seconds, idle, files }));
    const results = await takeTurns(runs, loads, contenders, folder, url, receiver);
    for (const kind of kinds) print(`\n${liveTable(kind, contenders, results)}`);
  } finally {
    receiver.stop();
    rmSync(folder, { recursive: true });
  }
  return 0;
}

/** All take turns, round by round, so that a machine that slows down slows them all. */
async function takeTurns(
  runs: number,
  loads: readonly LiveLoad[],
  contenders: readonly LiveContender[],
  folder: string,
  url: string,
  receiver: ReceiverProcess,
): Promise<Results<LiveCost>> {
  const results: Results<LiveCost> = new Map();
  for (let round = 1; round <= runs; round++) {
    for (const load of loads) {
      for (const contender of contenders) {
        process.stderr.write(`round ${round} of ${runs}: ${load.kind}, ${contender.name}\n`);
        const cost = await measureLive(contender, load, join(folder, contender.name), url, receiver);
        addResult(results, load.kind, contender.name, cost);
        if (cost.taken !== cost.written)
          print(`UNEQUAL: ${contender.name} took ${cost.taken} lines of ${cost.written}, ${load.kind}`);
      }
    }
  }
  return results;
}

/** Milliseconds from the start of the process until the last line of a file has reached the server. */
async function start(folder: string, url: string, receiver: ReceiverProcess, bytes: number): Promise<number> {
  mkdirSync(folder);
  const path = join(folder, 'log');
  if (bytes === 0) writeFileSync(path, '');
  else copyFileSync(generateFile(join(tmpdir(), 'policy-log-agent-bench'), 'dense', bytes).path, path);
  appendFileSync(path, markerLine());
  const startedMs = performance.timeOrigin + performance.now();
  const run = agent.start({ kind: 'denied', folder, log: path, quiet: [], url });
  const marker = await Promise.race([receiver.marker(), run.ended]);
  if (typeof marker === 'string' || marker < startedMs) throw new Error(`the agent ended with ${marker}`);
  run.stop();
  await run.ended;
  // What came so far is not counted with what the next one sends.
  await receiver.report();
  return Math.round(marker - startedMs);
}

/** A packet that is a record at once, later than all that a generated file holds. */
function markerLine(): string {
  return (
    `2026-09-05T23:59:59.000000+00:00 worker-1 kernel: calico-allow: IN=eth0 OUT=cali0123456789a SRC=${MARKER_IP} ` +
    'DST=10.244.3.4 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=1 DF PROTO=TCP SPT=40000 DPT=80 WINDOW=64240 RES=0x00 SYN URGP=0 \n'
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`at-work: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
