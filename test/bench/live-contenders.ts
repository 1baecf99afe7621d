import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentChild, showTrouble } from '../helpers/agent-child.ts';
import { countLines } from './count-lines.ts';
import { isPeerInstalled, type PeerJob, peerCommand } from './peers.ts';

/**
 * What the lines are. `allowed`: packets, every one a record; `denied`: packets, most of which merge;
 * `policy_action`: allowed connections in GKE's JSON.
 */
export const LIVE_KINDS = ['allowed', 'denied', 'policy_action'] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];

/** What is to be followed, and where to. */
export interface LiveTask {
  kind: LiveKind;
  /** Where the program may keep its own. */
  folder: string;
  log: string;
  /** Files to follow that nobody writes to. */
  quiet: readonly string[];
  /** The server, for those that deliver over HTTP. */
  url: string;
}

export interface LiveRun {
  pid: number;
  /** Resolves with the exit code, or the signal that ended it. */
  ended: Promise<number | string>;
  stop: () => void;
  /** After its end, how many lines it took; undefined: as many as records came to the server. */
  taken(): Promise<number | undefined>;
}

/** A program that follows a growing file until it is stopped. */
export interface LiveContender {
  name: string;
  /** Where its records go, and what keeps them until they are there. */
  does: string;
  start(task: LiveTask): LiveRun;
}

export const agent: LiveContender = {
  name: 'agent',
  does: 'HTTP; outbox on disk, synced; metrics',
  start: (task) => {
    const path = join(task.folder, 'config.yaml');
    writeFileSync(path, agentConfig(task));
    const child = new AgentChild(['run', '--config', path], 'ignore', showTrouble);
    return {
      pid: child.child.pid!,
      ended: child.ended,
      stop: () => child.stop(),
      taken: async () => (task.kind === 'denied' ? child.accounts?.lines : undefined),
    };
  },
};

type Variant = Pick<PeerJob, 'program' | 'follow' | 'to'>;

function peer(name: string, does: string, variant: Variant): LiveContender & { isInstalled: () => boolean } {
  return {
    name,
    does,
    isInstalled: () => isPeerInstalled(variant.program, variant.to),
    start: ({ kind, folder, log, url }) => {
      const output = join(folder, 'out');
      const job: PeerJob = {
        ...variant,
        lines: kind === 'policy_action' ? 'json' : 'packets',
        input: log,
        needle: kind === 'allowed' ? 'calico-allow: ' : 'calico-packet: ',
        output,
        port: Number(new URL(url).port),
      };
      const { argv, env } = peerCommand(job, folder);
      const child = spawn(argv[0]!, argv.slice(1), {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, ...env },
      });
      return {
        pid: child.pid!,
        ended: once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string),
        stop: () => {
          child.kill();
        },
        taken: async () => (variant.to === 'file' ? countLines(output) : undefined),
      };
    },
  };
}

const PEERS = [
  peer('rsyslog', 'file; no outbox', { program: 'rsyslog', follow: 'inotify', to: 'file' }),
  peer('rsyslog-polling', 'file; no outbox', { program: 'rsyslog', follow: 'polling', to: 'file' }),
  peer('rsyslog-http', 'HTTP; queue in memory', { program: 'rsyslog', follow: 'inotify', to: 'http' }),
  peer('rsyslog-http-polling', 'HTTP; queue in memory', {
    program: 'rsyslog',
    follow: 'polling',
    to: 'http',
  }),
  peer('rsyslog-http-disk', 'HTTP; queue on disk, synced', {
    program: 'rsyslog',
    follow: 'inotify',
    to: 'http-disk',
  }),
  peer('syslog-ng', 'file; no outbox', { program: 'syslog-ng', follow: 'polling', to: 'file' }),
  peer('syslog-ng-http', 'HTTP; buffer on disk, not synced', {
    program: 'syslog-ng',
    follow: 'polling',
    to: 'http',
  }),
];

export const PEER_NAMES: readonly string[] = PEERS.map(({ name }) => name);

/** Everyone who can take part here, the agent first, and the names of peers that are not installed. */
export function liveContenders(): { present: LiveContender[]; missing: string[] } {
  const present = PEERS.filter((contender) => contender.isInstalled());
  const missing = PEERS.filter((contender) => !present.includes(contender)).map(({ name }) => name);
  return { present: [agent, ...present], missing };
}

function agentConfig({ kind, folder, log, quiet, url }: LiveTask): string {
  const format =
    kind === 'policy_action' ? 'policy_action' : 'syslog\n    prefixes: [calico-packet, calico-allow]';
  return `
node: bench
inputs:
  - type: file
    paths: [${[log, ...quiet].join(', ')}]
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
