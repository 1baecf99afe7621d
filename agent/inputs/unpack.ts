import { readSync } from 'node:fs';
import { Gunzip, ZstdDecompress } from 'minizlib';
import type { Source } from './source.ts';

/** Compressed bytes given to the decompressor at once; bounds what it can make of them. */
const INPUT_BYTES = 4096;
/** Uncompressed bytes that one read may pass over on its way; some 50 ms. */
const STEP_BYTES = 8 * 1024 * 1024;
/** Reads of so few bytes are remembered. */
const REMEMBERED_BYTES = 1024;

/** What was asked for is far away: a step was made, and asking again makes the next. */
export class StillUnpacking extends Error {}

/**
 * A compressed file as a `Source` of its uncompressed bytes, synchronously and in bounded memory: what the
 * last 4 KiB of input made. It is read forwards; a read before what is held begins again at the file's start,
 * so a reader that goes back pays for it. What comes after an error in the data is not there.
 *
 * A read that is far away throws `StillUnpacking`, so that nothing is held up for longer than a step takes.
 * Short reads, by which a content is recognised, are remembered: whoever compares at several places gets to
 * all of them, however often it begins anew.
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
  /** What short reads found, by position: one for each content that begins alike. */
  readonly #remembered = new Map<number, Buffer>();
  /** Where the uncompressed bytes end, once that was seen. */
  #length = Number.POSITIVE_INFINITY;
  /** Uncompressed chunks from `#heldAt` on. */
  #held: Buffer[] = [];
  #heldAt = 0;

  constructor(fd: number, kind: 'gzip' | 'zstd') {
    this.#fd = fd;
    this.#kind = kind;
  }

  read(target: Buffer, start: number, length: number, position: number): number {
    const wanted = Math.min(length, this.#length - position);
    if (wanted <= 0) return 0;
    const known = this.#remembered.get(position);
    if (known !== undefined && known.length >= wanted) return known.copy(target, start, 0, wanted);
    if (this.#unpacker === undefined || position < this.#heldAt) this.#restart();
    this.#passTo(position);
    const done = this.#copy(target, start, wanted, position - this.#heldAt);
    if (length <= REMEMBERED_BYTES) {
      this.#remembered.set(position, Buffer.from(target.subarray(start, start + done)));
    }
    return done;
  }

  /** Drops what is held before `position`: what a reader got it may want again from its last line on. */
  #passTo(position: number): void {
    for (let passed = 0; ; ) {
      const first = this.#held[0];
      if (first === undefined) {
        if (!this.#more()) return;
      } else if (position < this.#heldAt + first.length) return;
      else {
        this.#held.shift();
        this.#heldAt += first.length;
        passed += first.length;
        if (passed >= STEP_BYTES) throw new StillUnpacking();
      }
    }
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

  /** Unpacks a little more; false at the end. */
  #more(): boolean {
    if (this.#ended) return false;
    const before = this.#held.length;
    const read = readSync(this.#fd, this.#input, 0, INPUT_BYTES, this.#inputAt);
    this.#inputAt += read;
    if (read === 0) this.#ended = true;
    else this.#unpacker!.write(Buffer.from(this.#input.subarray(0, read)));
    if (this.#ended) this.#length = this.#held.reduce((end, { length }) => end + length, this.#heldAt);
    return !this.#ended || this.#held.length > before;
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
