import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Daemon } from '../kubernetes/daemon.ts';

const READY_MS_MAX = 120_000;
const LOOK_EVERY_MS = 50;

/** A real server with a folder of its own, which can be killed and started again on what it has left there. */
export abstract class ServerProcess {
  protected readonly folder: string;
  #daemon: Daemon | undefined;
  #restarted = Promise.resolve();

  protected constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `${name}-`));
  }

  /** The program and its arguments. */
  protected abstract command(): readonly string[];

  /** Whether it takes requests. */
  protected abstract isReady(): Promise<boolean>;

  /** Starts it for the first time. */
  async started(): Promise<this> {
    await this.restart();
    return this;
  }

  /** Starts it on the data that it has left; resolves when it takes requests. */
  async restart(): Promise<void> {
    const daemon = new Daemon(this.command(), this.at('server.log'));
    this.#daemon = daemon;
    daemon.start();
    const deadline = Date.now() + READY_MS_MAX;
    while (!(await this.isReady())) {
      daemon.assertRunning();
      if (Date.now() > deadline) throw new Error(`${this.command()[0]} takes no requests`);
      await pause(LOOK_EVERY_MS);
    }
  }

  kill(): Promise<void> {
    return this.stop('SIGKILL');
  }

  /** Asked for again meanwhile, it does one after the other; closing waits for it. */
  stopAndRestart(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#restarted = this.#restarted.then(() => this.stop(signal)).then(() => this.restart());
    return this.#restarted;
  }

  /** Asks it to end, and waits until it has. */
  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.#daemon?.stop(signal);
  }

  async close(): Promise<void> {
    // Of its failure is told who has asked for it.
    await this.#restarted.catch(() => {});
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The path of a file in its folder. */
  protected at(name: string): string {
    return join(this.folder, name);
  }
}

/** Whether somebody takes connections at a port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Whether a server answers: with 2xx, or with the status that is given. */
export async function answers(url: string, expected?: number): Promise<boolean> {
  try {
    const { ok, status } = await fetch(url, { signal: AbortSignal.timeout(1000) });
    return expected === undefined ? ok : status === expected;
  } catch {
    return false;
  }
}
