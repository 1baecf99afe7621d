import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { CorruptError } from './failure.ts';
import { type PackedBlock, unpack } from './packing.ts';
import type { Checkpoint, Commit, SavedState, StoredBlock, WindowRow } from './types.ts';

/** A block's row without its bytes. */
export interface BlockRow {
  readonly first: number;
  readonly count: number;
  readonly bytesBefore: number;
  readonly size: number;
  readonly committedMs: number;
}

const BLOCK_COLUMNS = 'first, count, bytes_before, size, committed_ms';

const NO_WINDOWS: Commit['windows'] = { put: [], delete: [] };

/** The statements over one open database. Knows SQL and nothing of sinks, fullness or failures. */
export class Store {
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  readonly #putCheckpoint: StatementSync;
  readonly #forgetCheckpoint: StatementSync;
  readonly #putWindow: StatementSync;
  readonly #putWindowState: StatementSync;
  readonly #deleteWindow: StatementSync;
  readonly #deleteWindowState: StatementSync;
  readonly #putValue: StatementSync;
  readonly #putCursor: StatementSync;
  readonly #deleteCursor: StatementSync;
  readonly #insertBlock: StatementSync;
  readonly #deleteBlocks: StatementSync;
  readonly #firstBlock: StatementSync;
  readonly #lastBlock: StatementSync;
  readonly #blockAt: StatementSync;
  readonly #positionAfter: StatementSync;
  /** Windows whose opening is in the database. */
  readonly #opened = new Set<number>();
  /** The windows of the transaction under way. */
  #windows: Commit['windows'] = NO_WINDOWS;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
    this.#putCheckpoint = db.prepare(
      'INSERT OR REPLACE INTO checkpoints (key, input, json) VALUES (?, ?, ?)',
    );
    this.#forgetCheckpoint = db.prepare('DELETE FROM checkpoints WHERE key = ?');
    this.#putWindow = db.prepare('INSERT OR REPLACE INTO windows (key, opened) VALUES (?, ?)');
    this.#putWindowState = db.prepare('INSERT OR REPLACE INTO window_states (key, state) VALUES (?, ?)');
    this.#deleteWindow = db.prepare('DELETE FROM windows WHERE key = ?');
    this.#deleteWindowState = db.prepare('DELETE FROM window_states WHERE key = ?');
    this.#putValue = db.prepare('INSERT OR REPLACE INTO state_values (name, json) VALUES (?, ?)');
    this.#putCursor = db.prepare('INSERT OR REPLACE INTO cursors (sink, position) VALUES (?, ?)');
    this.#deleteCursor = db.prepare('DELETE FROM cursors WHERE sink = ?');
    this.#insertBlock = db.prepare(
      `INSERT INTO blocks (${BLOCK_COLUMNS}, crc, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#deleteBlocks = db.prepare('DELETE FROM blocks WHERE first < ?1 AND first + count <= ?1');
    this.#firstBlock = rows(db, `SELECT ${BLOCK_COLUMNS} FROM blocks ORDER BY first LIMIT 1`);
    this.#lastBlock = rows(db, `SELECT ${BLOCK_COLUMNS} FROM blocks ORDER BY first DESC LIMIT 1`);
    this.#blockAt = rows(
      db,
      `SELECT ${BLOCK_COLUMNS}, crc, bytes FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1`,
    );
    this.#positionAfter = rows(
      db,
      'SELECT first + count FROM blocks WHERE bytes_before + size >= ? ORDER BY first LIMIT 1',
    );
  }

  /** Runs `change` in one transaction; when it throws, nothing was changed. */
  transaction(change: () => void): void {
    this.#windows = NO_WINDOWS;
    this.#begin.run();
    try {
      change();
      this.#commit.run();
    } catch (error) {
      // SQLite has rolled back by itself after some errors, a full disk among them.
      if (this.#db.isTransaction) this.#rollback.run();
      throw error;
    }
    for (const { key } of this.#windows.put) this.#opened.add(key);
    for (const key of this.#windows.delete) this.#opened.delete(key);
  }

  /** @throws CorruptError for what is not JSON, so that no reader needs to expect it */
  load(): SavedState {
    const checkpoints = this.#db.prepare('SELECT key, input, json FROM checkpoints').all();
    const windows = this.#db
      .prepare('SELECT key, opened, state FROM windows JOIN window_states USING (key) ORDER BY key')
      .all() as unknown as WindowRow[];
    const values = this.#db.prepare('SELECT name, json FROM state_values').all();
    for (const { json } of [...checkpoints, ...values]) requireJson(json);
    for (const { key, opened, state } of windows) {
      requireJson(opened);
      requireJson(state);
      this.#opened.add(key);
    }
    return {
      checkpoints: checkpoints as unknown as Checkpoint[],
      windows,
      values: new Map(values.map(({ name, json }) => [name as string, json as string])),
    };
  }

  cursors(): Map<string, number> {
    const all = this.#db.prepare('SELECT sink, position FROM cursors').all();
    return new Map(all.map(({ sink, position }) => [sink as string, position as number]));
  }

  putCursor(sink: string, position: number): void {
    this.#putCursor.run(sink, position);
  }

  deleteCursor(sink: string): void {
    this.#deleteCursor.run(sink);
  }

  /** Writes everything of a commit but its blocks. */
  putState(change: Omit<Commit, 'blocks'>): void {
    for (const { key, input, json } of change.checkpoints) this.#putCheckpoint.run(key, input, json);
    for (const key of change.forget) this.#forgetCheckpoint.run(key);
    this.#windows = change.windows;
    for (const { key, opened, state } of change.windows.put) {
      if (!this.#opened.has(key)) this.#putWindow.run(key, opened);
      this.#putWindowState.run(key, state);
    }
    for (const key of change.windows.delete) {
      this.#deleteWindow.run(key);
      this.#deleteWindowState.run(key);
    }
    for (const [name, json] of change.values) this.#putValue.run(name, json);
  }

  insertBlock(block: PackedBlock, first: number, bytesBefore: number, committedMs: number): void {
    const { bytes, count, size } = block;
    this.#insertBlock.run(first, count, bytesBefore, size, committedMs, crc32(bytes), bytes);
  }

  /** Deletes the blocks whose records all stand before `position`. */
  deleteBlocks(position: number): void {
    this.#deleteBlocks.run(position);
  }

  firstBlock(): BlockRow | undefined {
    return toBlockRow(this.#firstBlock.get());
  }

  lastBlock(): BlockRow | undefined {
    return toBlockRow(this.#lastBlock.get());
  }

  /** The block that holds the record at `position`. @throws CorruptError when there is none, or it is damaged */
  blockAt(position: number): StoredBlock {
    const row = this.#blockAt.get(position) as unknown as [...BlockColumns, number, Uint8Array] | undefined;
    if (row === undefined) throw new CorruptError(`no block holds record ${position}`);
    const [first, count, , size, committedMs, crc, bytes] = row;
    if (position >= first + count) throw new CorruptError(`no block holds record ${position}`);
    if (crc32(bytes) !== crc) throw new CorruptError(`the block of record ${first} is not what was written`);
    return { first, count, committedMs, bytes: unpack(bytes, size) };
  }

  /** The position after the block in which the byte number `bytes` stands, counted as `bytesBefore` is. */
  positionAfterBytes(bytes: number): number | undefined {
    return (this.#positionAfter.get(bytes) as unknown as [number] | undefined)?.[0];
  }

  close(): void {
    this.#db.close();
  }
}

type BlockColumns = [first: number, count: number, bytesBefore: number, size: number, committedMs: number];

/** A statement that gives arrays, which costs less than objects. */
function rows(db: DatabaseSync, sql: string): StatementSync {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}

function toBlockRow(row: unknown): BlockRow | undefined {
  if (row === undefined) return undefined;
  const [first, count, bytesBefore, size, committedMs] = row as BlockColumns;
  return { first, count, bytesBefore, size, committedMs };
}

function requireJson(json: unknown): void {
  try {
    JSON.parse(json as string);
  } catch {
    throw new CorruptError('a saved state is not JSON');
  }
}
