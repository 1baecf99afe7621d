import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { LineSource } from './generate-lines.ts';

const PAUSE_MS = 10;

export interface LiveFile {
  path: string;
  /** Its times must begin at about the present. */
  source: LineSource;
  /** The file is renamed to `PATH.1` when it has grown to this, and written anew; 0: never. */
  rotateBytes: number;
}

/** Appends each source's lines to its file when their time has come, and rotates as logrotate does. */
export class LiveWriter {
  lines = 0;
  bytes = 0;
  readonly #files: { file: LiveFile; fd: number; bytes: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(files: readonly LiveFile[]) {
    for (const file of files) this.#files.push({ file, fd: -1, bytes: 0 });
  }

  start(): void {
    for (const open of this.#files) open.fd = openSync(open.file.path, 'a');
    this.#timer = setInterval(() => this.#write(), PAUSE_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const open of this.#files) closeSync(open.fd);
  }

  #write(): void {
    const nowUs = Math.floor((performance.timeOrigin + performance.now()) * 1000);
    for (const open of this.#files) {
      const { source, path, rotateBytes } = open.file;
      let text = '';
      while (source.nextUs <= nowUs) {
        text += source.next();
        this.lines++;
      }
      if (text === '') continue;
      const written = writeSync(open.fd, text);
      this.bytes += written;
      open.bytes += written;
      if (rotateBytes > 0 && open.bytes >= rotateBytes) {
        rotate(path);
        closeSync(open.fd);
        open.fd = openSync(path, 'a');
        open.bytes = 0;
      }
    }
  }
}

const BACKUPS = 3;

/** `x` becomes `x.1`, `x.1` becomes `x.2`, …; the oldest goes. */
function rotate(path: string): void {
  rmSync(`${path}.${BACKUPS}`, { force: true });
  for (let n = BACKUPS - 1; n >= 0; n--) {
    try {
      renameSync(n === 0 ? path : `${path}.${n}`, `${path}.${n + 1}`);
    } catch {
      // There are not yet that many.
    }
  }
}
