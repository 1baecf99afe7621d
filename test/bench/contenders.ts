import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AccountsSummary } from '../../agent/observe/accounts.ts';
import { AGENT_PATH, DEPLOYED_FLAGS } from '../helpers/agent-child.ts';
import type { FileKind, GeneratedFile } from '../helpers/generate-lines.ts';
import { countLines } from './count-lines.ts';
import { type Command, tail } from './measure.ts';
import { isInstalled, isPeerInstalled, PEERS_FOLDER, type PeerJob, peerCommand } from './peers.ts';

/** What one run found in its file, to be compared with what is in it. */
export interface Found {
  /** Lines that it took for ours, however many records they became. */
  matching: number;
  records: number;
}

/** A program that does the job, or as much of it as it can. */
export interface Contender {
  name: string;
  files: readonly FileKind[];
  /** Whether it is the agent, another that does the same, or a yardstick that does less. */
  role: 'agent' | 'peer' | 'yardstick';
  /** @param work an empty folder */
  command(file: GeneratedFile, work: string): Command;
  found(work: string): Promise<Found>;
  /** Whether windows merge lines, so that there are fewer records. */
  aggregates?: boolean;
}

const SYSLOG = ['dense', 'mixed', 'wide'] as const;
const ALL = ['dense', 'mixed', 'gke', 'wide'] as const;

function plain(work: string, argv: readonly string[], env?: Record<string, string>): Command {
  return { argv, stdout: join(work, 'out'), stderr: join(work, 'err'), ...(env && { env }) };
}

const agentParse: Contender = {
  name: 'agent: parse',
  files: ['dense', 'mixed', 'gke'],
  role: 'agent',
  command: (file, work) => {
    const options = ['--format', format(file), '--timezone', 'UTC', '--node', 'bench'];
    return plain(work, [process.execPath, ...DEPLOYED_FLAGS, AGENT_PATH, 'parse', ...options, file.path]);
  },
  found: async (work) => {
    const records = await countLines(join(work, 'out'));
    const told = JSON.parse(
      readFileSync(join(work, 'err'), 'utf8').trimEnd().split('\n').at(-1)!,
    ) as AccountsSummary;
    if (told.records !== records)
      throw new Error(`parse reports ${told.records} records and wrote ${records}`);
    return { matching: records, records };
  },
};

function agentRun(aggregates: boolean): Contender {
  return {
    name: aggregates ? 'agent: run --once, aggregated' : 'agent: run --once',
    files: aggregates ? ['dense', 'mixed', 'wide'] : ['dense', 'gke'],
    role: 'agent',
    aggregates,
    command: (file, work) => {
      writeFileSync(join(work, 'config.yaml'), runConfig(file, work, aggregates));
      return plain(work, [
        process.execPath,
        ...DEPLOYED_FLAGS,
        AGENT_PATH,
        'run',
        '--once',
        '--config',
        join(work, 'config.yaml'),
      ]);
    },
    found: async (work) => {
      const found = { matching: 0, records: 0 };
      for await (const line of createInterface({ input: createReadStream(join(work, 'records.ndjson')) })) {
        found.records++;
        found.matching += aggregates ? JSON.parse(line).count : 1;
      }
      return found;
    },
  };
}

/** As deployed, but for limits: what these files hold in a second of event time is more than most nodes see. */
function runConfig(file: GeneratedFile, work: string, aggregates: boolean): string {
  return `
node: bench
inputs:
  - type: file
    format: ${format(file)}
    paths: [${file.path}]
    start: beginning${format(file) === 'syslog' ? '\n    timezone: UTC' : ''}
limit: {connections_per_second: 0}
aggregate: {dispositions: [${aggregates ? 'deny, unknown' : ''}], keys_max: 200000}
state: {path: ${join(work, 'state')}}
sinks:
  - {name: archive, type: file, path: ${join(work, 'records.ndjson')}, rotate: {size_max: 100GB}}
http: {listen: '127.0.0.1:0'}
`;
}

const mawk: Contender = {
  name: 'mawk key=value',
  files: SYSLOG,
  role: 'yardstick',
  command: (file, work) => plain(work, ['mawk', '-f', join(PEERS_FOLDER, 'key-value.awk'), file.path]),
  found: countOutput,
};

const grep: Contender = {
  name: 'grep -cF',
  files: ALL,
  role: 'yardstick',
  command: (file, work) => plain(work, ['grep', '-cF', needle(file), file.path]),
  found: readCount,
};

const wc: Contender = {
  name: 'wc -l',
  files: ALL,
  role: 'yardstick',
  command: (file, work) => plain(work, ['wc', '-l', file.path]),
  found: readCount,
};

function peer(program: PeerJob['program']): Contender {
  return {
    name: program,
    files: ['dense', 'mixed', 'gke'],
    role: 'peer',
    command: (file, work) => {
      const job: PeerJob = {
        program,
        lines: format(file) === 'syslog' ? 'packets' : 'json',
        input: file.path,
        needle: needle(file),
        follow: 'inotify',
        to: 'file',
        output: join(work, 'out'),
      };
      const { argv, env } = peerCommand(job, work);
      return { ...plain(work, argv, env), untilIdle: true };
    },
    found: countOutput,
  };
}

/** Everyone who can take part here. The agent is first; peers that are not installed are left out. */
export function contenders(): { present: Contender[]; missing: string[] } {
  const present = [agentParse, agentRun(false), agentRun(true), mawk, grep, wc];
  const missing: string[] = [];
  for (const program of ['rsyslog', 'syslog-ng'] as const) {
    if (isPeerInstalled(program)) present.push(peer(program));
    else missing.push(program);
  }
  if (!isInstalled('mawk'))
    throw new Error('cannot measure without mawk: every target is a ratio to it; apt-get install mawk');
  if (!existsSync(AGENT_PATH))
    throw new Error(`cannot measure the agent: ${AGENT_PATH} is missing; run "npm run build" first`);
  return { present, missing };
}

function format(file: GeneratedFile): 'syslog' | 'policy_action' {
  return file.path.includes('gke-') ? 'policy_action' : 'syslog';
}

function needle(file: GeneratedFile): string {
  return format(file) === 'syslog' ? 'calico-packet: ' : '"disposition":';
}

async function countOutput(work: string): Promise<Found> {
  const records = await countLines(join(work, 'out'));
  return { matching: records, records };
}

async function readCount(work: string): Promise<Found> {
  const records = Number.parseInt(tail(join(work, 'out')), 10);
  return { matching: records, records };
}
