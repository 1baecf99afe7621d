import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Format, LineParser } from '../../parsers/line.ts';
import { LineSplitter, type LineState } from '../inputs/lines.ts';
import { idSeed, recordId, SEED_BYTES } from '../inputs/record-id.ts';
import type { LineHandler } from '../inputs/types.ts';

/** More does not stay in the processor's cache until it is written. */
const CHUNK_BYTES = 64 << 10;
const LINE_BYTES_MAX = 64 << 10;
const NEWLINE = 10;
/** A terminal or a pipe that somebody set to non-blocking has nothing yet. */
const AGAIN_MS = 20;

const readSome = promisify(read);

/** A stream that is read once from its beginning: no rotation, no resuming. */
export interface LineStream {
  /** Whether it may have nothing yet: a pipe, a terminal. Whoever waits for what comes wants to see what came. */
  readonly mayWait: boolean;
  /** Reads one chunk and hands its lines over; resolves with false at the end, after the last line. */
  next(handler: LineHandler): Promise<boolean>;
  close(): void;
}

/**
 * Opens a file, or takes a descriptor, to read its lines.
 * @throws what the file system says
 */
export function readLines(source: string | number, format: Format, node: string): LineStream {
  const fd = typeof source === 'number' ? source : openSync(source, 'r');
  const isFile = fstatSync(fd).isFile();
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES + LINE_BYTES_MAX);
  const splitter = new LineSplitter(format, LINE_BYTES_MAX, () => {});
  const file = new Stream(format.open(), node);
  let length = 0;
  return {
    mayWait: !isFile,
    async next(handler) {
      const room = Math.min(CHUNK_BYTES, buffer.length - length);
      const got = isFile
        ? readSync(fd, buffer, length, room, null)
        : await readPatiently(fd, buffer, length, room);
      length += got;
      file.sees(buffer.subarray(0, length), got === 0);
      if (got === 0) {
        splitter.rest(file, buffer, length, handler);
        return false;
      }
      let used = splitter.split(file, buffer, length, handler);
      if (used === 0 && buffer[0] === 0) {
        splitter.passNuls(length);
        used = length;
      }
      file.offset += used;
      buffer.copyWithin(0, used, length);
      length -= used;
      return true;
    },
    close() {
      if (typeof source !== 'number') closeSync(fd);
    },
  };
}

/** From what may have nothing yet: a pipe, a terminal. */
async function readPatiently(fd: number, buffer: Buffer, from: number, bytes: number): Promise<number> {
  for (;;) {
    try {
      return (await readSome(fd, buffer, from, bytes, null)).bytesRead;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await delay(AGAIN_MS);
    }
  }
}

class Stream implements LineState {
  readonly parser: LineParser;
  offset = 0;
  skipping = false;
  readonly #node: string;
  #seed: ReturnType<typeof idSeed> | undefined;

  constructor(parser: LineParser, node: string) {
    this.parser = parser;
    this.#node = node;
  }

  /** @param bytes what stands at `offset`; the ids' seed is made once the whole of its part is there */
  sees(bytes: Buffer, isEnd: boolean): void {
    if (this.#seed !== undefined || !(isEnd || bytes.length >= SEED_BYTES || bytes.includes(NEWLINE))) return;
    this.#seed = idSeed(this.#node, bytes.subarray(0, SEED_BYTES));
  }

  recordId(bytes: Buffer, start: number, end: number, offset: number): Buffer {
    return recordId(this.#seed!, bytes, start, end, offset);
  }
}
