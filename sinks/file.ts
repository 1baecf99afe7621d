import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileSinkOptions } from '../agent/config/sinks/file.ts';
import { readId, readTail } from './file-tail.ts';
import { type Batch, type Outcome, REPEATED_BYTES_MAX, type Sink } from './sink.ts';
import { writePieces } from './write-pieces.ts';

/**
 * Records in a file that this sink alone writes, one a line, rotated by size to `.1`, `.2`, ….
 *
 * Each record stands in the file exactly once, and every line is whole, also after kill -9:
 * - A batch is written at the known end of the file, so what a failed write left behind is overwritten.
 * - On opening, a torn last line is cut off, and the ids in the last `REPEATED_BYTES_MAX` + `batch.bytes_max`
 *   bytes are read, through the rotated files if need be. A crash makes the engine send again, in order, at most
 *   the former that it had confirmed, and the one batch that was under way; this sink takes one at a time. So
 *   every repeated record stands in that tail, and is skipped. The ids are forgotten with the first batch that
 *   repeats nothing.
 *
 * It does not hold when the tail's files are deleted or edited meanwhile, or when confirmations could not be
 * saved before the crash (a failing disk): then records repeat. A file that is moved away or truncated is
 * noticed before the next batch, which begins a new one.
 */
export class FileSink implements Sink {
  readonly #options: FileSinkOptions;
  #handle: FileHandle | undefined;
  #size = 0;
  #seen: ReadonlySet<string> = new Set();

  constructor(options: FileSinkOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { path, batch, rotate } = this.#options;
    await mkdir(dirname(path), { recursive: true });
    const { ids, wholeBytes } = await readTail(path, rotate.files_max, REPEATED_BYTES_MAX + batch.bytes_max);
    this.#seen = ids;
    await this.#reopen();
    if (this.#size > wholeBytes) await this.#handle!.truncate(wholeBytes);
    this.#size = wholeBytes;
  }

  async send(batch: Batch): Promise<Outcome> {
    let done = 0;
    try {
      await this.#followPath();
      for (const portion of this.#portions(batch)) {
        if (portion.ndjson.length > 0) await this.#append(portion);
        done += portion.count;
      }
      return { kind: 'delivered' };
    } catch (error) {
      const reason = `cannot write to ${this.#options.path}: ${(error as Error).message}`;
      if (done === 0) return { kind: 'retry', cause: 'error', reason };
      const again = Array.from({ length: batch.count - done }, (_, index) => done + index);
      return { kind: 'delivered', again, reason };
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  /** The batch in parts that fit into one file each; all of it at once, but for a rotation's surroundings. */
  *#portions(batch: Batch): Generator<Pick<Batch, 'count' | 'bytes' | 'ndjson'>> {
    const { size_max: sizeMax } = this.#options.rotate;
    if (this.#seen.size === 0 && batch.bytes <= sizeMax) {
      yield batch;
      return;
    }
    const isRepeated = this.#takeRepeated(batch);
    let portion = newPortion();
    for (const [index, { json }] of batch.records.entries()) {
      if (portion.bytes > 0 && portion.bytes + json.length + 1 > sizeMax) {
        yield portion;
        portion = newPortion();
      }
      portion.count++;
      if (isRepeated(index)) continue;
      portion.ndjson.push(json, NEWLINE);
      portion.bytes += json.length + 1;
    }
    yield portion;
  }

  /** Which of the batch's records stand in the file already. */
  #takeRepeated(batch: Batch): (index: number) => boolean {
    if (this.#seen.size === 0) return () => false;
    const repeated = new Set<number>();
    for (const [index, { json }] of batch.records.entries()) {
      if (this.#seen.has(readId(json))) repeated.add(index);
    }
    if (repeated.size === 0) this.#seen = new Set();
    return (index) => repeated.has(index);
  }

  async #append({ ndjson, bytes }: Pick<Batch, 'bytes' | 'ndjson'>): Promise<void> {
    if (this.#size > 0 && this.#size + bytes > this.#options.rotate.size_max) await this.#rotate();
    const handle = this.#handle!;
    const { error } = await writePieces(handle.fd, ndjson, this.#size);
    if (error) {
      // Whatever it left behind is overwritten by the next attempt, which begins with the same record.
      await handle.truncate(this.#size).catch(() => {});
      throw error;
    }
    if (this.#options.fsync) await handle.datasync();
    this.#size += bytes;
  }

  async #rotate(): Promise<void> {
    const { path, rotate } = this.#options;
    await this.close();
    if (rotate.files_max === 0) await rm(path, { force: true });
    for (let n = rotate.files_max; n > 0; n--) {
      await renameIfThere(n === 1 ? path : `${path}.${n - 1}`, `${path}.${n}`);
    }
    await this.#reopen();
  }

  /** Opens the file again when it was moved away, and takes its size again when it was truncated. */
  async #followPath(): Promise<void> {
    if (this.#handle === undefined) return this.#reopen();
    const [ours, there] = await Promise.all([this.#handle.stat(), statIfThere(this.#options.path)]);
    if (there?.ino !== ours.ino || there.dev !== ours.dev) {
      await this.close();
      await this.#reopen();
    } else if (ours.size < this.#size) {
      this.#size = ours.size;
    }
  }

  async #reopen(): Promise<void> {
    this.#handle = await open(this.#options.path, constants.O_RDWR | constants.O_CREAT, 0o640);
    this.#size = (await this.#handle.stat()).size;
  }
}

/** What goes into one file in one write. */
function newPortion(): { count: number; bytes: number; ndjson: Buffer[] } {
  return { count: 0, bytes: 0, ndjson: [] };
}

const NEWLINE = Buffer.from('\n');

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
