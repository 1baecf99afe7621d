import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Daemon } from '../kubernetes/daemon.ts';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it keeps what it has; its output goes to `server.log` there. */
  readonly folder: string;
  /** Answers as soon as the server takes requests: with 2xx, or with the status that is given. */
  readonly healthUrl: string;
  readonly healthStatus?: number;
}

const READY_MS_MAX = 120_000;
const LOOK_EVERY_MS = 50;

/** A real server that can be killed and started again on what it has left. */
export class ServerProcess {
  readonly #daemon: Daemon;
  readonly #healthUrl: string;
  readonly #healthStatus: number | undefined;

  constructor({ command, args, folder, healthUrl, healthStatus }: ServerCommand) {
    this.#daemon = new Daemon([command, ...args], join(folder, 'server.log'));
    this.#healthUrl = healthUrl;
    this.#healthStatus = healthStatus;
  }

  /** Resolves when the server takes requests. */
  async start(): Promise<void> {
    this.#daemon.start();
    const deadline = Date.now() + READY_MS_MAX;
    while (!(await this.#isReady())) {
      this.#daemon.assertRunning();
      if (Date.now() > deadline) throw new Error(`${this.#healthUrl} does not answer`);
      await pause(LOOK_EVERY_MS);
    }
  }

  kill(): Promise<void> {
    return this.#daemon.stop('SIGKILL');
  }

  /** Asks it to end, and waits until it has. */
  stop(): Promise<void> {
    return this.#daemon.stop();
  }

  async #isReady(): Promise<boolean> {
    try {
      const { ok, status } = await fetch(this.#healthUrl, { signal: AbortSignal.timeout(1000) });
      return this.#healthStatus === undefined ? ok : status === this.#healthStatus;
    } catch {
      return false;
    }
  }
}
