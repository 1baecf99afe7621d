import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AgentChild, showTrouble } from '../helpers/agent-child.ts';
import { generateFile, type LineSource, PacketLines, PolicyActionLines } from '../helpers/generate-lines.ts';
import { LiveWriter } from '../helpers/live-writer.ts';
import { cpuSeconds, memory } from './process-cost.ts';
import { MARKER_IP } from './receiver.ts';
import { ReceiverProcess } from './receiver-process.ts';

/**
 * The built agent as it works on a node: metrics and outbox on, an HTTP sink to a server in another process, 500
 * lines a second. Prints what it costs, how late records are, and what it costs when nothing happens; before
 * that, how long the start takes and a backlog of 60 MB.
 */
const USAGE = `usage: at-work.ts [options]
  --lines KIND    what the lines are (may be given several times; default: allowed, policy_action):
                  allowed: packets, every one a record; denied: packets, most of which merge;
                  policy_action: allowed connections in GKE's JSON
  --rate N        lines a second (default 500)
  --seconds N     how long (default 60)
  --idle N        how long without lines (default 30; 0: not at all)
  --files N       how many files are followed, of which one is written to (default 1)
  --no-start      without start and backlog`;

const KINDS = ['allowed', 'denied', 'policy_action'] as const;
type Kind = (typeof KINDS)[number];
const BACKLOG_BYTES = 60e6;
const WARM_UP_MS = 5000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      lines: { type: 'string', multiple: true, default: ['allowed', 'policy_action'] },
      rate: { type: 'string', default: '500' },
      seconds: { type: 'string', default: '60' },
      idle: { type: 'string', default: '30' },
      files: { type: 'string', default: '1' },
      'no-start': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const [rate, seconds, idle] = [Number(values.rate), Number(values.seconds), Number(values.idle)];
  const files = Number(values.files);
  const kinds = values.lines as Kind[];
  if (
    values.help ||
    !(rate > 0 && seconds > 0 && idle >= 0 && files >= 1) ||
    !kinds.every((kind) => KINDS.includes(kind))
  ) {
    process.stderr.write(`${USAGE}\n`);
    return values.help ? 0 : 64;
  }
  const folder = mkdtempSync(join(tmpdir(), 'policy-log-agent-at-work-'));
  const receiver = new ReceiverProcess();
  try {
    const url = await receiver.url();
    if (!values['no-start']) {
      await start(join(folder, 'first'), url, receiver, 0, 'first record');
      await start(join(folder, 'backlog'), url, receiver, BACKLOG_BYTES, 'backlog of 60 MB');
    }
    for (const kind of kinds)
      await work(join(folder, kind), url, receiver, { kind, rate, seconds, idle, files });
  } finally {
    receiver.stop();
    rmSync(folder, { recursive: true });
  }
  return 0;
}

/** How long it takes from the start of the process until the last line of a file has reached the server. */
async function start(folder: string, url: string, receiver: ReceiverProcess, bytes: number, what: string) {
  mkdirSync(folder);
  const path = join(folder, 'log');
  if (bytes === 0) writeFileSync(path, '');
  else copyFileSync(generateFile(join(tmpdir(), 'policy-log-agent-bench'), 'dense', bytes).path, path);
  appendFileSync(path, markerLine());
  writeFileSync(join(folder, 'config.yaml'), config(folder, url, 'denied'));
  const startedMs = performance.timeOrigin + performance.now();
  const agent = startAgent(folder);
  const marker = await Promise.race([receiver.marker(), agent.ended]);
  if (typeof marker === 'string' || marker < startedMs) throw new Error(`the agent ended with ${marker}`);
  print(`start, ${what}`, `${Math.round(marker - startedMs)} ms`, bytes === 0 ? '≤ 500 ms' : '≤ 2000 ms');
  agent.stop();
  await agent.ended;
}

interface Work {
  kind: Kind;
  rate: number;
  seconds: number;
  idle: number;
  files: number;
}

async function work(
  folder: string,
  url: string,
  receiver: ReceiverProcess,
  { kind, rate, seconds, idle, files }: Work,
) {
  mkdirSync(folder);
  const quiet = Array.from({ length: files - 1 }, (_, n) => join(folder, `quiet-${n}`));
  for (const path of quiet) writeFileSync(path, `${path}\n`);
  writeFileSync(join(folder, 'config.yaml'), config(folder, url, kind, quiet));
  const writer = new LiveWriter([
    { path: join(folder, 'log'), source: liveLines(kind, rate), rotateBytes: 10e6 },
  ]);
  writer.start();
  const agent = startAgent(folder);
  const pid = agent.child.pid!;
  await sleep(WARM_UP_MS);
  await receiver.report();
  const begin = { cpuS: cpuSeconds(pid), lines: writer.lines, ms: performance.now() };
  await sleep(seconds * 1000);
  const elapsedS = (performance.now() - begin.ms) / 1000;
  const cpuS = cpuSeconds(pid) - begin.cpuS;
  const { rssBytes, anonymousBytes } = memory(pid);
  const { records, requests, latenciesMs } = await receiver.report();
  writer.stop();

  process.stdout.write(`\n${kind}: ${Math.round((writer.lines - begin.lines) / elapsedS)} lines/s\n`);
  print('records/s, requests/s', `${Math.round(records / elapsedS)}, ${(requests / elapsedS).toFixed(1)}`);
  print('CPU of one core', `${((100 * cpuS) / elapsedS).toFixed(2)} %`, '≤ 0.6 %');
  print('RSS', `${(rssBytes / 1e6).toFixed(1)} MB`, '≤ 80 MB');
  print('anonymous', `${(anonymousBytes / 1e6).toFixed(1)} MB`, '≤ 32 MB');
  if (kind !== 'denied') {
    print('latency p50', `${Math.round(quantile(latenciesMs, 0.5))} ms`, '≤ 250 ms');
    print('latency p99', `${Math.round(quantile(latenciesMs, 0.99))} ms`, '≤ 500 ms');
  }
  if (idle > 0) {
    // Windows close and the files are found quiet.
    await sleep(2 * WARM_UP_MS);
    const before = cpuSeconds(pid);
    await sleep(idle * 1000);
    print(
      `CPU, idle, files: ${files}`,
      `${((100 * (cpuSeconds(pid) - before)) / idle).toFixed(2)} %`,
      '≤ 0.1 %',
    );
  }
  agent.stop();
  const ended = await agent.ended;
  print('accounts', JSON.stringify(agent.accounts));
  if (ended !== 0) throw new Error(`the agent ended with ${ended}`);
}

function startAgent(folder: string): AgentChild {
  return new AgentChild(['run', '--config', join(folder, 'config.yaml')], 'ignore', showTrouble);
}

function liveLines(kind: Kind, linesPerSecond: number): LineSource {
  const common = { seed: 1, startUs: Date.now() * 1000, linesPerSecond };
  if (kind === 'policy_action') return new PolicyActionLines({ ...common, denied: 0 });
  return new PacketLines({
    ...common,
    conversations: 100,
    prefixes: [kind === 'allowed' ? 'calico-allow' : 'calico-packet'],
  });
}

/** A packet that is a record at once, later than all that a generated file holds. */
function markerLine(): string {
  return (
    `2026-09-05T23:59:59.000000+00:00 worker-1 kernel: calico-allow: IN=eth0 OUT=cali0123456789a SRC=${MARKER_IP} ` +
    'DST=10.244.3.4 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=1 DF PROTO=TCP SPT=40000 DPT=80 WINDOW=64240 RES=0x00 SYN URGP=0 \n'
  );
}

function config(folder: string, url: string, kind: Kind, quiet: readonly string[] = []): string {
  const format =
    kind === 'policy_action' ? 'policy_action' : 'syslog\n    prefixes: [calico-packet, calico-allow]';
  return `
node: bench
inputs:
  - type: file
    paths: [${[join(folder, 'log'), ...quiet].join(', ')}]
    start: beginning
    format: ${format}
select:
  dispositions: [{prefix: calico-allow, disposition: allow}]
limit: {connections_per_second: 0}
state: {path: ${join(folder, 'state')}}
sinks:
  - {name: server, type: http, url: '${url}'}
http: {listen: '127.0.0.1:0'}
`;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

function print(what: string, value: string, target = ''): void {
  const row = `  ${what.padEnd(26)} ${value.padEnd(14)} ${target}`;
  process.stdout.write(`${row.trimEnd()}\n`);
}

process.exitCode = await main();
