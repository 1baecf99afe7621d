import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import split2 from 'split2';
import type { AccountsSummary } from '../../agent/observe/accounts.ts';

/** The built agent: one file. */
export const AGENT_PATH = fileURLToPath(new URL('../../dist/policy-log-agent.mjs', import.meta.url));

/** What the image's entry point gives Node.js, so that the agent is tried and measured as it is deployed. */
export const DEPLOYED_FLAGS = entryPoint().filter((word) => word.startsWith('--'));

/** A line of the agent's own log. */
export interface LogLine {
  level: number | string;
  msg: string;
  accounts?: AccountsSummary;
  [key: string]: unknown;
}

/** The agent as a child process in a process group of its own, so that a Ctrl-C reaches it only through us. */
export class AgentChild {
  readonly child: ChildProcess;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  accounts: AccountsSummary | undefined;

  /** @param onLog takes each line of the agent's log; a line that is not JSON comes as `msg` */
  constructor(args: readonly string[], stdout: 'pipe' | 'ignore', onLog: (line: LogLine) => void) {
    this.child = spawn(process.execPath, [...DEPLOYED_FLAGS, AGENT_PATH, ...args], {
      stdio: ['ignore', stdout, 'pipe'],
      detached: true,
      env: { ...process.env, MALLOC_ARENA_MAX: '1' },
    });
    this.child.stderr!.pipe(split2()).on('data', (text: string) => {
      const line = logLine(text);
      if (line.accounts !== undefined) this.accounts = line.accounts;
      onLog(line);
    });
    this.ended = once(this.child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  }

  /** Asks it to stop; whoever asks again does not wait any longer. */
  stop(): void {
    this.child.kill(this.#asked ? 'SIGKILL' : 'SIGTERM');
    this.#asked = true;
  }

  #asked = false;
}

/** Passes the agent's warnings and errors on to a person; what it merely tells is left out. */
export function showTrouble({ level, msg }: LogLine): void {
  const isTrouble = typeof level === 'number' ? level >= 40 : !/^(trace|debug|info)$/.test(level);
  if (isTrouble) process.stderr.write(`agent: ${msg}\n`);
}

function logLine(text: string): LogLine {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === 'object' && line !== null && 'msg' in line) return line as LogLine;
  } catch {
    // Not from the agent's log: Node's own messages.
  }
  return { level: 50, msg: text };
}

function entryPoint(): string[] {
  const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
  return JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)![1]!) as string[];
}
