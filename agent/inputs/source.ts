import { readSync } from 'node:fs';

/** The bytes of one open file, uncompressed. */
export interface Source {
  /** What keeps the rest of a damaged file from being read. */
  readonly error?: Error | undefined;
  /** Reads into `target[start, start + length)` what stands at `position`; fewer bytes only at the end. */
  read(target: Buffer, start: number, length: number, position: number): number;
}

/** A plain file's bytes. */
export class PlainSource implements Source {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  read(target: Buffer, start: number, length: number, position: number): number {
    let done = 0;
    while (done < length) {
      const read = readSync(this.#fd, target, start + done, length - done, position + done);
      if (read === 0) break;
      done += read;
    }
    return done;
  }
}
