import type { OutgoingRecord } from '../../sinks/sink.ts';
import type { RecordSource, StoredBlock } from '../outbox/types.ts';
import { BlockRecord, RecordBatch } from './batch.ts';

/** Most bytes that are read for a batch that is smaller, so that a filter that lets little pass holds up nothing. */
const READ_BYTES_MAX = 8 << 20;
/** Where records may wait for so long, a batch ends where it would have ended had it been read at once. */
export const SAME_CUT_MS_MIN = 10_000;

export interface BatchLimits {
  readonly recordsMax: number;
  readonly bytesMax: number;
  /**
   * How long a record may wait for others, from its commit. From `SAME_CUT_MS_MIN` on, a batch holds only what was
   * committed within that time of its first record: so the outbox alone decides where batches end, and from the same
   * position on it gives the same batches again after a crash.
   */
  readonly ageMaxMs: number;
}

/** What was read of the outbox in one go: records to send, or none where all were filtered. */
export interface Collected {
  readonly batch: RecordBatch | undefined;
  /** Position of the first record read, and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Bytes read, filtered ones included. */
  readonly bytesRead: number;
  readonly filtered: number;
}

/**
 * Reads the outbox from a position on and puts records together until a batch is full, or old enough. Where
 * nothing is filtered, a block that fits goes into the batch as it is, and no record is looked at.
 *
 * It holds one block and one unfinished batch, so at most `bytesMax` and a block's size.
 */
export class Collector {
  readonly #source: RecordSource;
  readonly #limits: BatchLimits;
  readonly #accept: ((record: OutgoingRecord) => boolean) | undefined;
  #bytesMax: number;
  /** The next record to read. */
  #position: number;
  #block: OpenBlock | undefined;
  #pieces: Buffer[] = [];
  #records: OutgoingRecord[] = [];
  #count = 0;
  #bytes = 0;
  #bytesRead = 0;
  /** What `#bytesRead` was before the batch's first record. */
  #bytesBefore = 0;
  #filtered = 0;
  #from: number;
  #oldestMs = 0;

  /** @param accept which records to send; absent: all */
  constructor(
    source: RecordSource,
    position: number,
    limits: BatchLimits,
    accept?: (record: OutgoingRecord) => boolean,
  ) {
    this.#source = source;
    this.#position = position;
    this.#from = position;
    this.#limits = limits;
    this.#bytesMax = limits.bytesMax;
    this.#accept = accept;
  }

  /** Whether everything that was committed was also handed out. */
  get isEmpty(): boolean {
    return Math.max(this.#from, this.#source.begin()) >= this.#source.end();
  }

  /** The destination takes less than we thought. */
  lowerBytesMax(bytesMax: number): void {
    this.#bytesMax = Math.max(1, Math.min(this.#bytesMax, bytesMax));
  }

  /**
   * @param hurry hand out what is there, however little
   * @returns a batch; or how long the records that are there may still wait; or undefined, when there are none
   */
  next(nowMs: number, hurry: boolean): Collected | { readonly waitMs: number } | undefined {
    while (!this.#isFull()) {
      this.#block ??= this.#open();
      if (this.#block === undefined) break;
      if (!this.#take(this.#block)) break;
      if (this.#block.offset === this.#block.bytes.length) this.#block = undefined;
    }
    if (this.#count === 0) return this.#position > this.#from ? this.#handOut() : undefined;
    const waitMs = this.#oldestMs + this.#limits.ageMaxMs - nowMs;
    // A clock that was set back must not make records wait longer than they may.
    if (this.#block || this.#isFull() || hurry || waitMs <= 0) return this.#handOut();
    return { waitMs: Math.min(waitMs, this.#limits.ageMaxMs) };
  }

  #isFull(): boolean {
    return (
      this.#count >= this.#limits.recordsMax ||
      this.#bytes >= this.#bytesMax ||
      this.#bytesRead - this.#bytesBefore >= Math.max(READ_BYTES_MAX, this.#limits.bytesMax)
    );
  }

  /** Whether the batch has to end before this block. */
  #isTooLate({ committedMs }: OpenBlock): boolean {
    const { ageMaxMs } = this.#limits;
    return this.#count > 0 && ageMaxMs >= SAME_CUT_MS_MIN && committedMs >= this.#oldestMs + ageMaxMs;
  }

  #begin({ committedMs }: OpenBlock): void {
    this.#oldestMs = committedMs;
    this.#bytesBefore = this.#bytesRead;
  }

  #open(): OpenBlock | undefined {
    const block = this.#source.read(this.#position);
    if (block === undefined) return undefined;
    const opened = openBlock(block);
    // Blocks before it may have been dropped; within it, records may be done.
    for (; this.#position > opened.first + opened.index; opened.index++) {
      opened.offset = lineEnd(opened.bytes, opened.offset);
    }
    this.#position = opened.first + opened.index;
    return opened;
  }

  /** Takes what fits of the block. @returns false when not all of it did */
  #take(block: OpenBlock): boolean {
    if (this.#isTooLate(block)) return false;
    if (this.#accept) return this.#takeAccepted(block, this.#accept);
    const { bytes, offset } = block;
    let count = block.count - block.index;
    let end = bytes.length;
    const recordsRoom = this.#limits.recordsMax - this.#count;
    const bytesRoom = this.#bytesMax - this.#bytes;
    if (count > recordsRoom || end - offset > bytesRoom) {
      count = 0;
      end = offset;
      while (count < recordsRoom && end < bytes.length) {
        const next = lineEnd(bytes, end);
        // A record that is larger than a batch may be goes alone.
        if (next - offset > bytesRoom && this.#count + count > 0) break;
        end = next;
        count++;
      }
    }
    if (count === 0) return false;
    if (this.#count === 0) this.#begin(block);
    this.#pieces.push(bytes.subarray(offset, end));
    this.#count += count;
    this.#bytes += end - offset;
    this.#advance(block, count, end);
    return end === bytes.length;
  }

  #takeAccepted(block: OpenBlock, accept: (record: OutgoingRecord) => boolean): boolean {
    const { bytes } = block;
    while (block.offset < bytes.length) {
      if (this.#isFull()) return false;
      const end = lineEnd(bytes, block.offset);
      const record = new BlockRecord(bytes.subarray(block.offset, end - 1));
      if (accept(record)) {
        if (this.#count > 0 && this.#bytes + end - block.offset > this.#bytesMax) return false;
        if (this.#count === 0) this.#begin(block);
        this.#records.push(record);
        this.#count++;
        this.#bytes += end - block.offset;
      } else {
        this.#filtered++;
      }
      this.#advance(block, 1, end);
    }
    return true;
  }

  #advance(block: OpenBlock, count: number, offset: number): void {
    this.#bytesRead += offset - block.offset;
    this.#position += count;
    block.index += count;
    block.offset = offset;
  }

  #handOut(): Collected {
    const batch = this.#accept
      ? this.#count > 0
        ? RecordBatch.of(this.#records)
        : undefined
      : new RecordBatch(this.#pieces, this.#count);
    const collected = {
      batch,
      from: this.#from,
      to: this.#position,
      bytesRead: this.#bytesRead,
      filtered: this.#filtered,
    };
    this.#pieces = [];
    this.#records = [];
    this.#count = 0;
    this.#bytes = 0;
    this.#bytesRead = 0;
    this.#bytesBefore = 0;
    this.#filtered = 0;
    this.#from = this.#position;
    return collected;
  }
}

interface OpenBlock {
  readonly first: number;
  readonly count: number;
  readonly committedMs: number;
  readonly bytes: Buffer;
  /** The next record, and where it begins. */
  index: number;
  offset: number;
}

function openBlock({ first, count, committedMs, bytes }: StoredBlock): OpenBlock {
  const { buffer, byteOffset, byteLength } = bytes;
  return {
    first,
    count,
    committedMs,
    bytes: Buffer.from(buffer, byteOffset, byteLength),
    index: 0,
    offset: 0,
  };
}

/** Where the line that begins at `start` ends, its newline included. */
function lineEnd(bytes: Buffer, start: number): number {
  const newline = bytes.indexOf(0x0a, start);
  return newline < 0 ? bytes.length : newline + 1;
}
