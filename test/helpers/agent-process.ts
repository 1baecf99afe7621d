import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import type { AccountsSummary } from '../../agent/observe/accounts.ts';
import { assertAccountsClose } from './accounts-close.ts';
import { AgentChild, type LogLine } from './agent-child.ts';
import { Awaited } from './awaited.ts';

/** The built agent under test: its log lines and records as they come, its metrics, its accounts. */
export class AgentProcess {
  readonly log = new Awaited<LogLine>();
  readonly stdout = new Awaited<string>();
  readonly #agent: AgentChild;

  /** @param config the configuration, as an object that is written to `dir`, or its file */
  constructor(dir: string, config: object | string, options: string[] = []) {
    const file = typeof config === 'string' ? config : join(dir, 'config.yaml');
    if (typeof config !== 'string') writeFileSync(file, stringify(config));
    this.#agent = new AgentChild(['run', '--config', file, ...options], 'pipe', (line) =>
      this.log.push(line),
    );
    createInterface(this.#agent.child.stdout!).on('line', (line) => this.stdout.push(line));
  }

  get pid(): number {
    return this.#agent.child.pid!;
  }

  /** Resolves with the URL of its HTTP endpoints, once it runs; rejects with what it says when it does not. */
  async ready(): Promise<string> {
    const running = () => this.log.items.find((line) => line.msg === 'running');
    const ended = this.#agent.ended.then(() => {
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

  /** Ends it as a pod is ended. */
  async stop(): Promise<{ code: number | string; accounts: AccountsSummary | undefined }> {
    this.#agent.child.kill('SIGTERM');
    return this.exited();
  }

  /** Ends it at once; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#agent.child.kill('SIGKILL');
    await this.#agent.ended;
  }

  /** Resolves with its exit code or the signal that ended it; rejects where its accounts do not close. */
  async exited(): Promise<{ code: number | string; accounts: AccountsSummary | undefined }> {
    const code = await this.#agent.ended;
    const { accounts } = this.#agent;
    if (accounts !== undefined) assertAccountsClose(accounts);
    return { code, accounts };
  }
}
