import {
  appendFileSync,
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** A sink's dead letters, the current file and the one before it, take at most twice this. */
const DEAD_LETTER_BYTES_MAX = 10 << 20;
const REASON_CHARS_MAX = 500;

export interface DeadLetter {
  /** The record's JSON. */
  readonly json: Buffer;
  readonly reason: string;
}

/**
 * The records that one sink's destination refused for good, each with time and reason, one JSON object a line:
 *
 *     {"time":"…","sink":"search","reason":"…","record":{…}}
 *
 * When `write` returns they are on the disk. The file is rotated to `.1` at `DEAD_LETTER_BYTES_MAX`, and what
 * was in `.1` is gone. Nothing is opened before the first letter.
 */
export class DeadLetters {
  readonly path: string;
  /** Where letters stand that are to be sent again, see resend.ts. */
  readonly resendPath: string;
  readonly #sink: string;
  readonly #bytesMax: number;

  /** @param stateFolder the agent's `state.path` */
  constructor(stateFolder: string, sink: string, bytesMax = DEAD_LETTER_BYTES_MAX) {
    this.path = join(stateFolder, 'dead-letters', `${sink}.ndjson`);
    this.resendPath = join(stateFolder, 'dead-letters', `${sink}.resend.ndjson`);
    this.#sink = sink;
    this.#bytesMax = bytesMax;
  }

  /** @throws what the file system says; then nothing was written */
  write(letters: readonly DeadLetter[], nowMs: number): void {
    const time = new Date(nowMs).toISOString();
    const pieces = letters.flatMap(({ json, reason }) => [
      Buffer.from(
        `{"time":"${time}","sink":"${this.#sink}","reason":${JSON.stringify(reason.slice(0, REASON_CHARS_MAX))},"record":`,
      ),
      json,
      Buffer.from('}\n'),
    ]);
    const bytes = Buffer.concat(pieces);
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o750 });
    let fd = openSync(this.path, 'a', 0o640);
    try {
      let { size } = fstatSync(fd);
      if (size > 0 && size + bytes.length > this.#bytesMax) {
        renameSync(this.path, `${this.path}.1`);
        closeSync(fd);
        fd = openSync(this.path, 'a', 0o640);
        size = 0;
      }
      appendWhole(fd, bytes, size);
    } finally {
      closeSync(fd);
    }
  }
}

/** Appends all of it, to the disk, or nothing. */
function appendWhole(fd: number, bytes: Buffer, size: number): void {
  try {
    appendFileSync(fd, bytes);
    fdatasyncSync(fd);
  } catch (error) {
    ftruncateSync(fd, size);
    throw error;
  }
}
