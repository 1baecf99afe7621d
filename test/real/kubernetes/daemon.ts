import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A server that a test runs: its output goes to a file, and it dies with the test. */
export class Daemon {
  readonly #command: readonly string[];
  readonly #logFile: string;
  #process: ChildProcess | undefined;

  constructor(command: readonly string[], logFile: string) {
    this.#command = command;
    this.#logFile = logFile;
  }

  start(): void {
    const log = openSync(this.#logFile, 'a');
    // Whatever ends the test, a crash too, ends the server.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...this.#command], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#process = child;
  }

  /** Throws, with the end of its output, where it runs no more. */
  assertRunning(): void {
    if (this.#process?.exitCode === null && this.#process.signalCode === null) return;
    throw new Error(
      `${this.#command.join(' ')} has ended: ${readFileSync(this.#logFile, 'utf8').slice(-4000)}`,
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}
