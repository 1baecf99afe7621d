import type { Enricher, FlowLine } from '../parsers/line.ts';
import type { RecordBlock } from './outbox/types.ts';
import type { OpenWindow } from './stages/open-window.ts';

const BLOCK_BYTES = 256 << 10;
const FIRST_BYTES = 64 << 10;
/** Blocks that were given back and wait to be filled again: as many as come at once when sinks take a backlog. */
const SPARE_MAX = 32;
/** As many while less than a block is handed over at a time. */
const QUIET_SPARE_MAX = 2;
/** What a record may well need; doubled until it has enough. */
const ROOM_BYTES = 16 << 10;

/**
 * Collects records as newline-delimited JSON until the next commit, in blocks of about 256 KiB: larger ones make a
 * backlog cost more memory, and nothing less.
 *
 * `take` hands the blocks over for good, so whoever has them may keep them while the next ones are collected, and may
 * give them back.
 */
export class RecordBuffer {
  #full: RecordBlock[] = [];
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  #count = 0;
  #fullBytes = 0;
  readonly #spare: Buffer[] = [];

  /** Bytes collected since `take`. */
  get size(): number {
    return this.#fullBytes + this.#length;
  }

  /** @param json one record, without a newline */
  append(json: string): void {
    // A UTF-16 unit takes at most three bytes, so this never cuts.
    const most = json.length * 3 + 1;
    if (this.#length + most > this.#bytes.length) this.#makeRoom(most);
    this.#length += this.#bytes.write(json, this.#length);
    this.#bytes[this.#length++] = 0x0a;
    this.#count++;
  }

  /** The record of a line; straight from its bytes where its format can write it so. */
  appendLine(line: FlowLine, id: Buffer, enricher: Enricher): void {
    if (line.writeJson === undefined) {
      const record = line.toRecord(id.toString('latin1'));
      enricher.enrich(record, line.timeUs);
      this.append(JSON.stringify(record));
      return;
    }
    let end = line.writeJson(id, this.#bytes, this.#length, enricher);
    for (let room = ROOM_BYTES; end < 0 || end === this.#bytes.length; room *= 2) {
      this.#makeRoom(room);
      end = line.writeJson(id, this.#bytes, this.#length, enricher);
    }
    this.#length = end;
    this.#bytes[this.#length++] = 0x0a;
    this.#count++;
  }

  /** The record of a window, straight from its bytes. */
  appendWindow(window: OpenWindow): void {
    const most = window.jsonBytesMax + 1;
    if (this.#length + most > this.#bytes.length) this.#makeRoom(most);
    this.#length = window.writeJson(this.#bytes, this.#length);
    this.#bytes[this.#length++] = 0x0a;
    this.#count++;
  }

  /** Hands over what was collected. */
  take(): RecordBlock[] {
    const blocks = this.#full;
    if (blocks.length === 0) this.#spare.length = Math.min(this.#spare.length, QUIET_SPARE_MAX);
    if (this.#count > 0) {
      // Little is handed over as a copy, for it may be kept much longer than it takes to fill the next block.
      const isMuch = this.#length >= BLOCK_BYTES / 2;
      blocks.push({ bytes: isMuch ? this.#filled() : new Uint8Array(this.#filled()), count: this.#count });
      if (isMuch) this.#bytes = this.#spare.pop() ?? Buffer.allocUnsafe(BLOCK_BYTES);
    }
    this.#full = [];
    this.#fullBytes = 0;
    this.#length = 0;
    this.#count = 0;
    return blocks;
  }

  /** Takes blocks back, with which nobody has anything to do any more. */
  giveBack(blocks: readonly RecordBlock[]): void {
    for (const { bytes } of blocks) {
      if (bytes.buffer.byteLength !== BLOCK_BYTES || this.#spare.length === SPARE_MAX) continue;
      this.#spare.push(Buffer.from(bytes.buffer));
    }
  }

  #filled(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #makeRoom(most: number): void {
    if (this.#length > 0 && this.#length + most > BLOCK_BYTES) {
      this.#full.push({ bytes: this.#filled(), count: this.#count });
      this.#fullBytes += this.#length;
      const spare = most <= BLOCK_BYTES ? this.#spare.pop() : undefined;
      this.#bytes = spare ?? Buffer.allocUnsafe(Math.max(BLOCK_BYTES, most));
      this.#length = 0;
      this.#count = 0;
      return;
    }
    const size = Math.max(Math.min(this.#bytes.length * 4, BLOCK_BYTES), this.#length + most);
    const grown = Buffer.allocUnsafe(size);
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
