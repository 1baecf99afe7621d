import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OutboxError } from './failure.ts';

const SCHEMA_VERSION = 2;

/** Each entry brings the schema from its index to the next version. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE checkpoints (key TEXT PRIMARY KEY, input TEXT NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE windows (key INTEGER PRIMARY KEY, opened TEXT NOT NULL);
   CREATE TABLE window_states (key INTEGER PRIMARY KEY, state TEXT NOT NULL); -- apart: small, and written often
   CREATE TABLE state_values (name TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE cursors (sink TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE blocks (
     first INTEGER PRIMARY KEY, -- number of the block's first record
     count INTEGER NOT NULL,
     bytes_before INTEGER NOT NULL, -- bytes of all blocks ever committed before it
     size INTEGER NOT NULL,
     committed_ms INTEGER NOT NULL,
     crc INTEGER NOT NULL,
     bytes BLOB NOT NULL
   );
   CREATE TABLE room (bytes BLOB NOT NULL);`,
  // The tables stay as they are; but from now on a block's bytes may be packed, and are where they are fewer than `size`.
  '',
];

/**
 * Larger pages make blocks cheaper, which span many, and the small changes of a quiet node dearer: with 4 KiB a commit
 * of 20 KB takes an eighth less CPU, one of 100 KB as much, and one of 2 MiB half as much again.
 */
const PAGE_BYTES = 16 << 10;
/**
 * What is kept of the database in memory: what the commits of a node at work touch, three times over. SQLite's 2 MB fill up
 * with pages that are free, and are no faster for a backlog.
 */
const CACHE_KIB = 768;
/** The log is written back when it holds this share of its size, so that there is always room for a cursor. */
const LOG_SHARE = 0.75;

/**
 * Opens the state database for this process alone and brings its schema up to date.
 *
 * The lock is the kernel's (`locking_mode=EXCLUSIVE`), held from here until `close`: it goes with the process,
 * however that ends, and no stale lock can remain. It also spares the `-shm` file. But a POSIX lock is dropped
 * when its process closes *any* descriptor of the file, so nothing else here may open it.
 * @param logBytesMax size of the write-ahead log, see room.ts
 * @param lockWaitMs how long to wait for an agent that is about to end
 * @throws OutboxError, or an error of SQLite for a file that is corrupt
 */
export function openDatabase(path: string, logBytesMax: number, lockWaitMs: number): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const db = new DatabaseSync(path, { timeout: lockWaitMs });
  try {
    db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${Math.floor((logBytesMax * LOG_SHARE) / PAGE_BYTES)};
      PRAGMA journal_size_limit = ${logBytesMax}; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${CACHE_KIB};`);
    db.exec('BEGIN EXCLUSIVE');
    migrate(db, path);
    db.exec('COMMIT');
    syncFolder(dirname(path));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrate(db: DatabaseSync, path: string): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > SCHEMA_VERSION) {
    throw new OutboxError(
      'too_new',
      `cannot use the state database ${path}: a newer agent wrote it (schema ${version}, this one knows ${SCHEMA_VERSION}); run that version, or move the file away`,
    );
  }
  for (const migration of MIGRATIONS.slice(version)) db.exec(migration);
  if (version < SCHEMA_VERSION) db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/** A new file survives a power loss only when its folder's entry is on the disk. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
