import { appendFileSync, closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/** Writes numbered lines to one file and rotates it; the lines are in `written`, in order. */
export interface RotatingWriter {
  readonly written: number;
  /** Appends so many lines. */
  write(lines: number): void;
  rotate(): void;
  close(): void;
}

/** What a writer needs to know: its file, the text of a line by its number, and how many backups stay. */
export interface WriterOptions {
  readonly path: string;
  readonly line: (number: number) => string;
  readonly backups: number;
}

/**
 * As logrotate and rsyslog do it: `path.1` and so on by rename, and for one more turn the writer goes on in the
 * renamed file, before it is told.
 */
export class SyslogWriter implements RotatingWriter {
  readonly #options: WriterOptions;
  #fd: number;
  #untold = 0;
  written = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#fd = openSync(options.path, 'a');
  }

  write(lines: number): void {
    for (let i = 0; i < lines; i++) {
      if (this.#untold > 0 && --this.#untold === 0) this.#reopen();
      writeSync(this.#fd, `${this.#options.line(this.written++)}\n`);
    }
  }

  rotate(): void {
    const { path, backups } = this.#options;
    rmSync(`${path}.${backups}`, { force: true });
    for (let i = backups - 1; i >= 1; i--) {
      if (existsSync(`${path}.${i}`)) renameSync(`${path}.${i}`, `${path}.${i + 1}`);
    }
    if (this.#untold > 0) this.#reopen();
    renameSync(path, `${path}.1`);
    this.#untold = 7;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #reopen(): void {
    this.#untold = 0;
    closeSync(this.#fd);
    this.#fd = openSync(this.#options.path, 'a');
  }
}

/** As lumberjack does it: a rename to a name with the time in it, a new file, the oldest backups deleted. */
export class LumberjackWriter implements RotatingWriter {
  readonly #options: WriterOptions;
  readonly #backups: string[] = [];
  #rotations = 0;
  written = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  write(lines: number): void {
    for (let i = 0; i < lines; i++)
      appendFileSync(this.#options.path, `${this.#options.line(this.written++)}\n`);
  }

  rotate(): void {
    const { path, backups } = this.#options;
    if (!existsSync(path)) return;
    const stamp = new Date(Date.now() + this.#rotations++)
      .toISOString()
      .replaceAll(':', '-')
      .replace('Z', '');
    const name = path.replace(/\.log$/, `-${stamp}.log`);
    renameSync(path, name);
    this.#backups.push(name);
    while (this.#backups.length > backups) rmSync(this.#backups.shift()!);
  }

  close(): void {}
}
