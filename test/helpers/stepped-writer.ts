import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';

/** What a writer of numbered lines and the rotation of its log do. */
export type WriterOperation =
  | { do: 'write'; torn: boolean; width: number }
  | { do: 'rename'; late: boolean }
  | { do: 'copytruncate'; chunks: number }
  | { do: 'compress' };

/** Writes numbered lines to one log and rotates it, one system call after the other: `steps` are those calls. */
export class SteppedWriter implements Disposable {
  readonly #log: string;
  #descriptor: number;
  #backups: string[] = [];
  written = 0;

  constructor(log: string) {
    this.#log = log;
    this.#descriptor = openSync(log, 'a');
  }

  /** The calls that an operation consists of; each must be made before those of the next operation are asked for. */
  steps(operation: WriterOperation): (() => void)[] {
    switch (operation.do) {
      case 'write':
        return this.#write(operation.torn, operation.width);
      case 'rename':
        return [
          ...this.#shift(),
          () => renameSync(this.#log, `${this.#log}.1`),
          ...(operation.late ? this.#write(false, 0) : []),
          () => {
            closeSync(this.#descriptor);
            this.#descriptor = openSync(this.#log, 'a');
          },
        ];
      case 'copytruncate':
        return [...this.#shift(), ...this.#copy(operation.chunks), () => ftruncateSync(this.#descriptor)];
      case 'compress':
        return this.#compress();
    }
  }

  #write(torn: boolean, width: number): (() => void)[] {
    const text = `${this.written++} ${'.'.repeat(width)}\n`;
    const parts = torn ? [text.slice(0, 1), text.slice(1)] : [text];
    return parts.map((part) => () => void writeSync(this.#descriptor, part));
  }

  /** Makes room for a new first backup. */
  #shift(): (() => void)[] {
    const steps = this.#backups.map((suffix, i) => () => {
      renameSync(`${this.#log}.${i + 1}${suffix}`, `${this.#log}.${i + 2}${suffix}`);
    });
    this.#backups.unshift('');
    return steps.reverse();
  }

  #copy(chunks: number): (() => void)[] {
    let copy: number;
    let at = 0;
    const steps = Array.from({ length: chunks }, (_, i) => () => {
      const size = statSync(this.#log).size;
      const end = Math.ceil((size * (i + 1)) / chunks);
      writeSync(copy, readFileSync(this.#log).subarray(at, end));
      at = end;
    });
    const create = () => {
      copy = openSync(`${this.#log}.1`, 'wx');
    };
    return [create, ...steps, () => closeSync(copy)];
  }

  /** Of the newest backup that is not compressed yet, but for the first: something may still write to that. */
  #compress(): (() => void)[] {
    const place = this.#backups.indexOf('', 1);
    if (place < 0) return [];
    this.#backups[place] = '.gz';
    const path = `${this.#log}.${place + 1}`;
    let packed: number;
    let bytes: Buffer;
    return [
      () => {
        packed = openSync(`${path}.gz`, 'wx');
        bytes = gzipSync(readFileSync(path));
      },
      () => void writeSync(packed, bytes.subarray(0, bytes.length >> 1)),
      () => void writeSync(packed, bytes.subarray(bytes.length >> 1)),
      () => closeSync(packed),
      () => unlinkSync(path),
    ];
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
