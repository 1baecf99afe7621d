import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AgentChild, showTrouble } from '../helpers/agent-child.ts';
import { PacketLines } from '../helpers/generate-lines.ts';
import { LiveWriter } from '../helpers/live-writer.ts';
import { cpuSeconds, memory } from './process-cost.ts';

/**
 * The built agent under steady load for a long time, its files rotated underneath: whether memory and the cost
 * of a line stay where they are. Prints a sample every ten seconds, and at the end the slopes over all samples
 * after the first minute.
 */
const USAGE = `usage: soak.ts [options]
  --minutes N   how long (default 10)
  --rate N      lines a second (default 20000)`;

const SAMPLE_S = 10;
const ROTATE_BYTES = 64e6;
/** By then the last lines are read. */
const DRAIN_MS = 3000;
const WARM_UP_MINUTES = 1;

interface Sample {
  minute: number;
  rssMB: number;
  anonymousMB: number;
  /** CPU time for a line since the sample before, in microseconds. */
  lineUs: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      rate: { type: 'string', default: '20000' },
      help: { type: 'boolean' },
    },
  });
  const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
  if (values.help || !(minutes > 0 && rate > 0)) {
    process.stderr.write(`${USAGE}\n`);
    return values.help ? 0 : 64;
  }
  const folder = mkdtempSync(join(tmpdir(), 'policy-log-agent-soak-'));
  try {
    return await soak(folder, minutes, rate);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function soak(folder: string, minutes: number, rate: number): Promise<number> {
  writeFileSync(join(folder, 'config.yaml'), config(folder));
  const source = new PacketLines({
    seed: 1,
    startUs: Date.now() * 1000,
    linesPerSecond: rate,
    conversations: 1000,
  });
  const writer = new LiveWriter([{ path: join(folder, 'syslog'), source, rotateBytes: ROTATE_BYTES }]);
  writer.start();
  const agent = new AgentChild(['run', '--config', join(folder, 'config.yaml')], 'ignore', showTrouble);
  const pid = agent.child.pid!;
  const samples: Sample[] = [];
  const startedMs = performance.now();
  let before = { cpuS: 0, lines: 0 };
  process.stdout.write('minute  RSS MB  anonymous MB  CPU µs/line\n');
  while (performance.now() - startedMs < minutes * 60_000) {
    const ended = await Promise.race([agent.ended, sleep(SAMPLE_S * 1000)]);
    if (ended !== undefined) throw new Error(`the agent ended with ${ended}`);
    const now = { cpuS: cpuSeconds(pid), lines: writer.lines };
    const { rssBytes, anonymousBytes } = memory(pid);
    const sample: Sample = {
      minute: (performance.now() - startedMs) / 60_000,
      rssMB: rssBytes / 1e6,
      anonymousMB: anonymousBytes / 1e6,
      lineUs: ((now.cpuS - before.cpuS) * 1e6) / (now.lines - before.lines),
    };
    before = now;
    samples.push(sample);
    const { minute, rssMB, anonymousMB, lineUs } = sample;
    process.stdout.write(
      `${minute.toFixed(1).padStart(6)}  ${rssMB.toFixed(1).padStart(6)}  ${anonymousMB.toFixed(1).padStart(12)}  ${lineUs.toFixed(2).padStart(11)}\n`,
    );
  }
  writer.stop();
  await sleep(DRAIN_MS);
  agent.stop();
  const ended = await agent.ended;
  const steady = samples.filter(({ minute }) => minute > Math.min(WARM_UP_MINUTES, minutes / 3));
  process.stdout.write(
    `\n${writer.lines} lines written; accounts ${JSON.stringify(agent.accounts)}\n` +
      `slopes after warming up: RSS ${slope(steady, 'rssMB')} MB/min, ` +
      `anonymous ${slope(steady, 'anonymousMB')} MB/min, CPU ${slope(steady, 'lineUs')} µs/line/min\n`,
  );
  return ended === 0 && agent.accounts?.lines === writer.lines ? 0 : 1;
}

/** Least squares over the samples. */
function slope(samples: readonly Sample[], field: keyof Sample): string {
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const x = mean(samples.map((sample) => sample.minute));
  const y = mean(samples.map((sample) => sample[field]));
  const covariance = mean(samples.map((sample) => (sample.minute - x) * (sample[field] - y)));
  const variance = mean(samples.map((sample) => (sample.minute - x) ** 2));
  return (covariance / variance).toFixed(4);
}

/** Merging on, as deployed; the sink's files are few and small. */
function config(folder: string): string {
  return `
node: soak
inputs:
  - type: file
    format: syslog
    paths: [${join(folder, 'syslog')}]
    start: beginning
limit: {connections_per_second: 0}
state: {path: ${join(folder, 'state')}}
sinks:
  - {name: archive, type: file, path: ${join(folder, 'records.ndjson')}, rotate: {size_max: 10MB, files_max: 2}}
http: {listen: '127.0.0.1:0'}
`;
}

process.exitCode = await main();
