import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Configurations of other log agents, which read from their environment what to follow and where to write. */
export const PEERS_FOLDER = fileURLToPath(new URL('./peers/', import.meta.url));

/** What another log agent is to do. */
export interface PeerJob {
  program: 'rsyslog' | 'syslog-ng';
  lines: 'packets' | 'json';
  input: string;
  /** What a packet line holds, and no other. */
  needle: string;
  /** How rsyslog learns of new lines; syslog-ng always polls. */
  follow: 'inotify' | 'polling';
  /** A configuration `peers/PROGRAM-to-NAME.conf`. */
  to: 'file' | 'http' | 'http-disk';
  /** For `file`. */
  output?: string;
  /** For the others: where the server listens, on 127.0.0.1. */
  port?: number;
}

/** @param work an empty folder for the peer's own state */
export function peerCommand(job: PeerJob, work: string): { argv: string[]; env: Record<string, string> } {
  const state = join(work, 'work');
  mkdirSync(state);
  const config = join(PEERS_FOLDER, `${job.program}-${job.lines}.conf`);
  const env = {
    BENCH_PEERS: PEERS_FOLDER,
    BENCH_WORK: state,
    BENCH_INPUT: job.input,
    BENCH_NEEDLE: job.needle,
    BENCH_FOLLOW: job.follow,
    BENCH_TO: join(PEERS_FOLDER, `${job.program}-to-${job.to}.conf`),
    BENCH_OUTPUT: job.output ?? '',
    BENCH_PORT: `${job.port ?? ''}`,
  };
  if (job.program === 'rsyslog')
    return { argv: ['rsyslogd', '-n', '-f', config, '-i', join(work, 'pid')], env };
  const argv = [
    'syslog-ng',
    '--foreground',
    '--no-caps',
    `--cfgfile=${config}`,
    `--persist-file=${join(work, 'persist')}`,
    `--pidfile=${join(work, 'pid')}`,
    `--control=${join(work, 'control')}`,
  ];
  return { argv, env };
}

/** Whether a peer can be run here, its HTTP output too if that is asked for. */
export function isPeerInstalled(program: PeerJob['program'], to: PeerJob['to'] = 'file'): boolean {
  if (!isInstalled(program === 'rsyslog' ? 'rsyslogd' : program)) return false;
  if (to === 'file') return true;
  if (program === 'rsyslog') return globSync('/usr/lib/{,*/}rsyslog/omelasticsearch.so').length > 0;
  return /^Available-Modules:.*\bhttp\b/m.test(execFileSync('syslog-ng', ['-V'], { encoding: 'utf8' }));
}

export function isInstalled(program: string): boolean {
  try {
    execFileSync('bash', ['-c', 'command -v "$1"', 'bash', program]);
    return true;
  } catch {
    return false;
  }
}
