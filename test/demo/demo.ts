import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import split2 from 'split2';
import type { AccountsSummary } from '../../agent/observe/accounts.ts';
import { AGENT_PATH, AgentChild, showTrouble } from '../helpers/agent-child.ts';
import { freePort } from '../helpers/free-port.ts';
import { MergedLines, NoiseLines, PacketLines, PolicyActionLines } from '../helpers/generate-lines.ts';
import { LiveWriter } from '../helpers/live-writer.ts';
import { demoConfig } from './config.ts';
import { showRecord } from './show-record.ts';

/**
 * What `make run` runs: a node's log files that are being written, and the agent that reads them. Records are
 * shown on a terminal, and passed on as they are into a pipe; everything else goes to standard error.
 * Ctrl-C, SIGTERM or `RUN_SECONDS` ends it.
 */
const ROTATE_BYTES = 48 * 1024;

async function main(): Promise<number> {
  if (!existsSync(AGENT_PATH)) {
    process.stderr.write(
      `demo: cannot start the agent: ${AGENT_PATH} is missing; run "npm run build" first\n`,
    );
    return 1;
  }
  const seconds = Number(process.env.RUN_SECONDS ?? 0);
  if (!(seconds >= 0)) {
    process.stderr.write(
      'demo: cannot read RUN_SECONDS: it must be a number of seconds, as in RUN_SECONDS=10\n',
    );
    return 64;
  }
  const folder = mkdtempSync(join(tmpdir(), 'policy-log-agent-demo-'));
  try {
    return await demonstrate(folder, seconds);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function demonstrate(folder: string, seconds: number): Promise<number> {
  const port = await freePort();
  const configPath = join(folder, 'config.yaml');
  writeFileSync(configPath, demoConfig(folder, port));
  const writer = new LiveWriter(liveFiles(folder));
  writer.start();
  const agent = new AgentChild(['run', '--config', configPath], 'pipe', showTrouble);

  const stop = () => agent.stop();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const timer = seconds > 0 ? setTimeout(stop, seconds * 1000) : undefined;
  process.stderr.write(`log files in ${folder}; metrics at http://127.0.0.1:${port}/metrics; Ctrl-C stops\n`);
  const shown = showRecords(agent, stop);
  const ended = await agent.ended;
  clearTimeout(timer);
  writer.stop();
  await shown;

  if (agent.accounts !== undefined) process.stderr.write(`${summary(agent.accounts)}\n`);
  if (ended !== 0) process.stderr.write(`demo: the agent ended with ${ended}\n`);
  return ended === 0 ? 0 : 1;
}

/** Bursts of retried denials, packets of no known verdict, and noise in one file; GKE's records in the other. */
function liveFiles(folder: string) {
  const seed = Date.now() >>> 0;
  const startUs = Date.now() * 1000;
  const denied = {
    linesPerSecond: 12,
    conversations: 6,
    conversationUs: 20_000_000,
    prefixes: ['calico-drop'],
  };
  const logged = { linesPerSecond: 3, conversations: 4, conversationUs: 30_000_000 };
  const syslog = new MergedLines([
    new PacketLines({ ...denied, seed, startUs }),
    new PacketLines({ ...logged, seed: seed + 1, startUs }),
    new NoiseLines({ seed: seed + 2, startUs, linesPerSecond: 10, envelope: 'rfc3339' }),
  ]);
  const policyAction = new PolicyActionLines({ seed: seed + 3, startUs, linesPerSecond: 3 });
  return [
    { path: join(folder, 'syslog'), source: syslog, rotateBytes: ROTATE_BYTES },
    { path: join(folder, 'policy_action.log'), source: policyAction, rotateBytes: ROTATE_BYTES },
  ];
}

/** @returns when the last record was written */
async function showRecords(agent: AgentChild, stop: () => void): Promise<void> {
  const records = agent.child.stdout!;
  // Whoever read our output may go at any time, as in `make run | head`.
  process.stdout.on('error', stop);
  if (!process.stdout.isTTY) {
    records.pipe(process.stdout, { end: false });
    await once(records, 'close');
    return;
  }
  const colours = process.stdout.hasColors() && !process.env.NO_COLOR;
  for await (const json of records.pipe(split2())) {
    const line = showRecord(json, process.stdout.columns, colours);
    if (line !== undefined) process.stdout.write(`${line}\n`);
  }
}

function summary(accounts: AccountsSummary): string {
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
  const { lines, records, merged, foreign, held } = accounts;
  return `${lines} lines: ${records} records, ${merged} merged, ${sum(accounts.dropped)} dropped, ${foreign} foreign, ${sum(accounts.unparsable)} unparsable, ${held} in windows that are open`;
}

process.exitCode = await main();
