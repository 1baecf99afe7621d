import type { DatabaseSync } from 'node:sqlite';
import { LOG_BYTES_MAX } from './database.ts';

/**
 * Room on the disk that is ours before it is needed, so that a full disk stops only what adds records.
 *
 * - The write-ahead log's file is written once to its full size and keeps it, so a small transaction (a cursor,
 *   the deletion of blocks) never needs a new block of the file system.
 * - The database grows in steps that are written to the disk before they are used, so writing the log back
 *   never needs one either; a step that does not fit on the disk is refused before anything is at stake.
 *
 * What it does not promise: room on a file system that writes every change to a new place (btrfs, ZFS), and
 * after a clean stop, which gives the log's file back.
 */
export class Room {
  readonly #freePages;
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    // A step that a crash cut short.
    db.exec('DELETE FROM room');
    this.#freePages = db.prepare('PRAGMA freelist_count');
    this.#freePages.setReturnArrays(true);
  }

  /** Takes the log's full size; call it once, after opening. */
  prepare(): void {
    this.#step(LOG_BYTES_MAX);
  }

  /** Makes sure that `bytes` more can be stored. */
  ensure(bytes: number): void {
    const wanted = bytes + SPARE_BYTES;
    const [pages] = this.#freePages.get() as unknown as [number];
    if (pages * USABLE_PAGE_BYTES < wanted) this.#step(Math.max(wanted, STEP_BYTES));
  }

  #step(bytes: number): void {
    // Two transactions: pages that are taken and freed in one are never written.
    this.#db.exec(`INSERT INTO room (bytes) VALUES (zeroblob(${bytes}))`);
    this.#db.exec('DELETE FROM room');
    this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  }
}

/** A page of 4096 bytes less its header and what a row around a blob takes. */
const USABLE_PAGE_BYTES = 4000;
const STEP_BYTES = LOG_BYTES_MAX;
/** For the trees' inner pages and the small tables. */
const SPARE_BYTES = 256 << 10;
