import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import type { AccountsSummary } from '../../agent/observe/accounts.ts';
import { assertAccountsClose } from './accounts-close.ts';
import { Awaited } from './awaited.ts';

export const AGENT = join(import.meta.dirname, '../../dist/policy-log-agent.mjs');

/** A line of the agent's own log. */
interface LogLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** The built agent as a process of its own, with its log lines and records as they come. */
export class AgentProcess {
  readonly log = new Awaited<LogLine>();
  readonly stdout = new Awaited<string>();
  readonly process: ChildProcess;
  readonly #exited: Promise<unknown[]>;

  /** @param config the configuration, as an object; written to `dir` */
  constructor(dir: string, config: object, options: string[] = []) {
    const file = join(dir, 'config.yaml');
    writeFileSync(file, stringify(config));
    this.process = spawn(process.execPath, [AGENT, 'run', '--config', file, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = once(this.process, 'exit');
    createInterface(this.process.stderr!).on('line', (line) => this.log.push(parseLogLine(line)));
    createInterface(this.process.stdout!).on('line', (line) => this.stdout.push(line));
  }

  /** Resolves with the URL of its HTTP endpoints, once it runs; rejects with what it says when it does not. */
  async ready(): Promise<string> {
    const running = () => this.log.items.find((line) => line.msg === 'running');
    const ended = this.#exited.then(() => {
      if (running() === undefined) throw new Error(`the agent ended: ${JSON.stringify(this.log.items)}`);
    });
    await Promise.race([this.log.until('the agent says that it runs', () => running() !== undefined), ended]);
    return String(running()?.http);
  }

  /** The value of one metric, summed over label sets that hold all of `labels`. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const text = await (await fetch(`${await this.ready()}/metrics`)).text();
    const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => wanted.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Ends it and resolves with its exit code (null where a signal ended it) and its accounts. */
  async stop(
    signal: NodeJS.Signals = 'SIGTERM',
  ): Promise<{ code: number | null; accounts: AccountsSummary | undefined }> {
    this.process.kill(signal);
    return this.exited();
  }

  /** Rejects where its accounts do not close. */
  async exited(): Promise<{ code: number | null; accounts: AccountsSummary | undefined }> {
    const [code] = await this.#exited;
    const stopped = this.log.items.find((line) => line.msg === 'stopped');
    const accounts = stopped?.accounts as AccountsSummary | undefined;
    if (accounts !== undefined) assertAccountsClose(accounts);
    return { code: code as number | null, accounts };
  }
}

function parseLogLine(line: string): LogLine {
  try {
    return JSON.parse(line);
  } catch {
    return { level: 'fatal', msg: line };
  }
}
