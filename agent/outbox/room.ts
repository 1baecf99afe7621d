import type { DatabaseSync } from 'node:sqlite';
import type { Commit } from './types.ts';

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
  readonly #stepBytes: number;
  readonly #usablePageBytes: number;
  #isPrepared = false;

  /** @param stepBytes the log's size, and by how much the database grows at least */
  constructor(db: DatabaseSync, stepBytes: number) {
    this.#db = db;
    this.#stepBytes = stepBytes;
    // A step that a crash cut short. Without WHERE, SQLite writes even when there is nothing to delete.
    db.exec('DELETE FROM room WHERE rowid > 0');
    this.#freePages = db.prepare('PRAGMA freelist_count');
    this.#freePages.setReturnArrays(true);
    // As the file has it, which an earlier version may have made.
    const { page_size: pageBytes } = db.prepare('PRAGMA page_size').get() as { page_size: number };
    this.#usablePageBytes = pageBytes - PAGE_OVERHEAD_BYTES;
  }

  /** Takes the log's full size; until it has succeeded, `ensure` tries it again. */
  prepare(): void {
    if (this.#isPrepared) return;
    this.#step(this.#stepBytes);
    this.#isPrepared = true;
  }

  /** Makes sure that a commit can be stored. */
  ensure(change: Commit): void {
    this.prepare();
    const wanted = roughBytes(change) + this.#stepBytes * SPARE_SHARE;
    if (this.#freeBytes() < wanted) this.#step(Math.max(wanted, this.#stepBytes));
  }

  /** Gives the disk back what an outage took; call it when no records are left, for it copies what there is. */
  giveBack(): void {
    if (this.#freeBytes() < this.#stepBytes * KEPT_STEPS) return;
    this.#db.exec('VACUUM');
    this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  }

  #freeBytes(): number {
    const [pages] = this.#freePages.get() as unknown as [number];
    return pages * this.#usablePageBytes;
  }

  #step(bytes: number): void {
    // Two transactions: pages that are taken and freed in one are never written.
    this.#db.exec(`INSERT INTO room (bytes) VALUES (zeroblob(${bytes}))`);
    this.#db.exec('DELETE FROM room');
    this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  }
}

/** A page's header and what a row around a blob takes. */
const PAGE_OVERHEAD_BYTES = 96;
/** So many steps of free pages are worth keeping: 64 MiB by default. */
const KEPT_STEPS = 16;
/** Kept for the trees' inner pages and the small tables. */
const SPARE_SHARE = 1 / 16;
/** A row's key and header, and its share of pages that are not full. */
const ROW_BYTES = 256;

/** What a commit takes in the database, generously. */
function roughBytes({ checkpoints, windows, values, blocks }: Commit): number {
  let bytes = (checkpoints.length + windows.put.length + values.length + blocks.length) * ROW_BYTES;
  for (const block of blocks) bytes += block.bytes.length;
  for (const { json } of checkpoints) bytes += json.length;
  for (const { opened, state } of windows.put) bytes += opened.length * 2 + state.length;
  for (const [, json] of values) bytes += json.length;
  return bytes;
}
