import { readSync } from 'node:fs';
import { Gunzip, ZstdDecompress } from 'minizlib';
import type { Source } from './source.ts';

/** Compressed bytes given to the decompressor at once; bounds what it can make of them. */
const INPUT_BYTES = 4096;

/**
 * A compressed file as a `Source` of its uncompressed bytes, synchronously and in bounded memory: what the
 * last 4 KiB of input made. It is read forwards; a read before what is held begins again at the file's start,
 * so a reader that goes back pays for it. What comes after an error in the data is not there.
 */
export class UnpackedSource implements Source {
  readonly #fd: number;
  readonly #kind: 'gzip' | 'zstd';
  readonly #input = Buffer.allocUnsafe(INPUT_BYTES);
  #unpacker: Gunzip | ZstdDecompress | undefined;
  #inputAt = 0;
  #ended = false;
  /** Why what the file holds cannot be unpacked to its end. */
  error: Error | undefined;
  /** Uncompressed chunks from `#heldAt` on. */
  #held: Buffer[] = [];
  #heldAt = 0;

  constructor(fd: number, kind: 'gzip' | 'zstd') {
    this.#fd = fd;
    this.#kind = kind;
  }

  read(target: Buffer, start: number, length: number, position: number): number {
    if (this.#unpacker === undefined || position < this.#heldAt) this.#restart();
    let done = 0;
    while (done < length) {
      const first = this.#held[0];
      if (first === undefined) {
        if (!this.#more()) break;
        continue;
      }
      const skip = position + done - this.#heldAt;
      if (skip >= first.length) {
        this.#held.shift();
        this.#heldAt += first.length;
        continue;
      }
      // What a reader got it may want again from its last line on, so chunks go when they are passed.
      done += this.#copy(target, start + done, length - done, skip);
      break;
    }
    return done;
  }

  /** Copies from the held chunks without dropping them. */
  #copy(target: Buffer, start: number, length: number, skip: number): number {
    let done = 0;
    let index = 0;
    let from = skip;
    while (done < length) {
      const chunk = this.#held[index];
      if (chunk === undefined) {
        if (!this.#more()) break;
        continue;
      }
      done += chunk.copy(target, start + done, from, from + length - done);
      from = 0;
      index++;
    }
    return done;
  }

  #more(): boolean {
    if (this.#ended) return false;
    const read = readSync(this.#fd, this.#input, 0, INPUT_BYTES, this.#inputAt);
    this.#inputAt += read;
    if (read === 0) this.#ended = true;
    else this.#unpacker!.write(Buffer.from(this.#input.subarray(0, read)));
    return !this.#ended;
  }

  #restart(): void {
    this.#inputAt = 0;
    this.#ended = false;
    this.#held = [];
    this.#heldAt = 0;
    const unpacker = this.#kind === 'gzip' ? new Gunzip({}) : new ZstdDecompress({});
    unpacker.on('data', (chunk: Buffer) => this.#held.push(chunk));
    unpacker.on('error', (error: unknown) => {
      this.error = error as Error;
      this.#ended = true;
    });
    this.#unpacker = unpacker;
  }
}
