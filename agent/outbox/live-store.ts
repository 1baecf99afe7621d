import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Log } from '../observe/log.ts';
import { openDatabase } from './database.ts';
import { CorruptError, classifyFailure, toCommitFailure, toOutboxError } from './failure.ts';
import { quarantine } from './quarantine.ts';
import { Room } from './room.ts';
import { Store } from './store.ts';
import type { Commit, CommitResult, SavedState } from './types.ts';

const LOG_BYTES_MAX = 4 << 20;
const LOCK_WAIT_MS = 2000;
/** Below this size a database is checked as a whole when it is opened; it takes about a millisecond a MiB. */
const CHECKED_BYTES_MAX = 64 << 20;
const OK: CommitResult = { ok: true };

export interface DatabaseOptions {
  /** The database file. */
  readonly path: string;
  /** Size of the write-ahead log, and of the steps in which the database grows. */
  readonly logBytesMax?: number;
  /** How long to wait for another agent to let go of the file. */
  readonly lockWaitMs?: number;
}

/** Whoever keeps in memory what the database holds. */
export interface Owner {
  /** Goes on where an earlier process was. */
  resume(store: Store): void;
  /** What was in the database is lost. @returns how many records that were */
  lose(): number;
  /** Puts what is known into a database that was started afresh. */
  refill(store: Store): void;
}

/**
 * The store over the database file as it is now, and what becomes of it when something fails.
 *
 * - A database that turns out to be corrupt, when it is opened or later, is moved aside, logged and counted; a new
 *   one takes its place, which the owner refills. What was to be done is then done there.
 * - Other failures are a result where somebody is told of them, and otherwise logged once, until something succeeds.
 * - Where opening the new one fails, it is tried again at the next use.
 * - A failure that no disk and no damage explains is a defect, and is thrown.
 */
export class LiveStore {
  readonly #options: DatabaseOptions;
  readonly #log: Log;
  readonly #owner: Owner;
  #store: Store | undefined;
  #room: Room | undefined;
  /** The owner has resumed: what is opened from now on was started afresh. */
  #isResumed = false;
  #corruptions = 0;
  #loggedFailure: string | undefined;

  constructor(options: DatabaseOptions, log: Log, owner: Owner) {
    this.#options = options;
    this.#log = log;
    this.#owner = owner;
  }

  /** Databases that were moved aside. */
  get corruptions(): number {
    return this.#corruptions;
  }

  /** The open database; opened again when an earlier attempt to start afresh failed. */
  get store(): Store {
    if (this.#store === undefined) this.#open();
    return this.#store!;
  }

  /** @throws OutboxError */
  open(): void {
    this.#orAfresh(() => this.#open());
  }

  /** What was committed before the restart; undefined when that was corrupt. @throws OutboxError */
  load(): SavedState | undefined {
    return this.#orAfresh(() => this.store.load());
  }

  /** Runs `work`; corruption starts the database afresh and runs it once more. */
  run(work: () => void): CommitResult {
    try {
      try {
        work();
      } catch (error) {
        if (classifyFailure(error) !== 'corrupt') throw error;
        this.#startAfresh(error);
        work();
      }
      this.#loggedFailure = undefined;
      return OK;
    } catch (error) {
      return toCommitFailure(error, this.#options.path);
    }
  }

  /** As `run`, for work of whose failure nobody is told. */
  runQuietly(work: () => void): CommitResult {
    const result = this.run(work);
    if (!result.ok && result.message !== this.#loggedFailure) {
      this.#loggedFailure = result.message;
      this.#log.error({ reason: result.reason }, result.message);
    }
    return result;
  }

  /** Makes sure that a commit can be stored. */
  ensureRoom(change: Commit): void {
    this.#room?.ensure(change);
  }

  /** Gives the disk back what an outage took; call it when no records are left. */
  giveBackRoom(): void {
    try {
      this.#room?.giveBack();
    } catch (error) {
      // It was a favour to the disk; the next time will do.
      if (classifyFailure(error) !== 'disk_full') throw error;
    }
  }

  close(): void {
    this.#store?.close();
    this.#store = undefined;
  }

  #orAfresh<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (classifyFailure(error) !== 'corrupt') throw toOutboxError(error, this.#options.path);
      this.#startAfresh(error);
      return undefined;
    }
  }

  #startAfresh(cause: unknown): void {
    const { path } = this.#options;
    this.close();
    const movedTo = quarantine(path, Date.now());
    this.#corruptions++;
    const records = this.#owner.lose();
    const details = { path, movedTo, cause: String(cause), records };
    this.#log.error(details, 'state database is corrupt: moved it aside and started afresh');
    this.#open();
  }

  #open(): void {
    const { path, logBytesMax = LOG_BYTES_MAX, lockWaitMs = LOCK_WAIT_MS } = this.#options;
    const db = openDatabase(path, logBytesMax, lockWaitMs);
    try {
      if (statSync(path).size <= CHECKED_BYTES_MAX) requireSound(db);
      const room = new Room(db, logBytesMax);
      const store = new Store(db);
      if (this.#isResumed) this.#owner.refill(store);
      else this.#owner.resume(store);
      this.#store = store;
      this.#room = room;
    } catch (error) {
      db.close();
      throw error;
    }
    this.#isResumed = true;
    try {
      this.#room.prepare();
    } catch (error) {
      // Not fatal: it is what the disk lacks now, and adding records will say so.
      if (classifyFailure(error) !== 'disk_full') throw error;
    }
  }
}

function requireSound(db: DatabaseSync): void {
  const row = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string } | undefined;
  if (row?.quick_check !== 'ok') throw new CorruptError(row?.quick_check ?? 'it cannot be checked');
}
