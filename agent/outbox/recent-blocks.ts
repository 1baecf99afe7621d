import type { RecordBlock, StoredBlock } from './types.ts';

/** While less than this waits for the sinks, all of it is here. */
export const RECENT_BYTES_MAX = 16 << 20;

/**
 * The blocks that were committed last, as they are in the database: a sink that keeps up gets them without
 * reading them back.
 *
 * A sink that is further behind reads the database, and then nothing is kept here: what is new is of no use to it.
 */
export class RecentBlocks {
  /** Without gaps, up to the last record committed. */
  #blocks: StoredBlock[] = [];

  /** @param first number of the first record */
  add(blocks: readonly RecordBlock[], first: number, committedMs: number): void {
    for (const { bytes, count } of blocks) {
      this.#blocks.push({ bytes, count, first, committedMs });
      first += count;
    }
  }

  /** The block that holds the record at `position`, if it is here. */
  at(position: number): StoredBlock | undefined {
    const first = this.#blocks[0]?.first;
    if (first === undefined || position < first) return undefined;
    return this.#blocks.find((block) => position < block.first + block.count);
  }

  /**
   * Lets go of what is not needed.
   * @param begin the first record that is there @param bytes of all that wait
   * @returns the blocks that all sinks are done with, and nobody else has
   */
  trim(begin: number, bytes: number): RecordBlock[] {
    let done = 0;
    for (const { first, count } of this.#blocks) {
      if (first + count > begin) break;
      done++;
    }
    const finished = this.#blocks.splice(0, done);
    if (bytes > RECENT_BYTES_MAX) this.clear();
    return finished;
  }

  /** Forgets them all; some may still be on their way to a sink. */
  clear(): void {
    this.#blocks = [];
  }
}
