import type { CommitFailure } from './types.ts';

/** Why the state database cannot be used, as far as it decides what to do about it. */
export type Failure = 'corrupt' | 'disk_full' | 'locked' | 'permission' | 'io_error';

/** Thrown when the state database cannot be opened. */
export class OutboxError extends Error {
  override readonly name = 'OutboxError';
  readonly reason: Exclude<Failure, 'corrupt'> | 'too_new';

  constructor(reason: OutboxError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }

  /** Whether it may pass by itself, so that opening should be tried again. */
  get canRetry(): boolean {
    return this.reason === 'disk_full' || this.reason === 'permission' || this.reason === 'io_error';
  }
}

/** Thrown inside the outbox when what the database says cannot be true. */
export class CorruptError extends Error {
  override readonly name = 'CorruptError';
}

// Primary result codes of SQLite, https://sqlite.org/rescode.html
const BY_PRIMARY_CODE: Record<number, Failure> = {
  3: 'permission', // PERM
  5: 'locked', // BUSY
  6: 'locked', // LOCKED
  8: 'permission', // READONLY
  11: 'corrupt', // CORRUPT
  13: 'disk_full', // FULL
  14: 'permission', // CANTOPEN
  26: 'corrupt', // NOTADB
};
const IOERR = 10;
const IOERR_SHORT_READ = IOERR | (2 << 8);
const IOERR_CORRUPTFS = IOERR | (33 << 8);

const BY_ERRNO: Record<string, Failure> = {
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'permission',
};

/** What an error of SQLite or the file system means here; undefined for any other error, which is a defect. */
export function classifyFailure(error: unknown): Failure | undefined {
  if (error instanceof CorruptError) return 'corrupt';
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as Error & { code?: string; errcode?: number };
  if (code === 'ERR_SQLITE_ERROR' && errcode !== undefined) {
    if (errcode === IOERR_SHORT_READ || errcode === IOERR_CORRUPTFS) return 'corrupt';
    const primary = errcode & 0xff;
    // A schema that lacks a table or column is an error of the file, for every statement here is tested.
    if (primary === 1) return 'corrupt';
    return primary === IOERR ? 'io_error' : BY_PRIMARY_CODE[primary];
  }
  if (code === undefined) return undefined;
  return BY_ERRNO[code] ?? (/^E[A-Z0-9]+$/.test(code) ? 'io_error' : undefined);
}

const ADVICE: Record<CommitFailure['reason'], string> = {
  disk_full: 'the disk is full; reading goes on when there is room',
  permission: 'it must be a file that this user may read and write, in a folder where it may create files',
  io_error: 'the file system fails',
};

/** @throws the error itself, when it is none that a commit may meet */
export function toCommitFailure(error: unknown, path: string): CommitFailure {
  const reason = classifyFailure(error);
  if (reason !== 'disk_full' && reason !== 'permission' && reason !== 'io_error') throw error;
  const cause = (error as Error).message;
  return {
    ok: false,
    reason,
    message: `cannot write the state database ${path}: ${ADVICE[reason]} (${cause})`,
  };
}

/** What to throw when opening fails; the error itself, when it is a defect. */
export function toOutboxError(error: unknown, path: string): unknown {
  if (classifyFailure(error) === 'locked') {
    return new OutboxError(
      'locked',
      `cannot use the state database ${path}: another agent has it; each needs a state.path of its own`,
    );
  }
  const reason = classifyFailure(error);
  if (reason === undefined || reason === 'corrupt' || reason === 'locked') return error;
  const cause = (error as Error).message;
  return new OutboxError(reason, `cannot open the state database ${path}: ${ADVICE[reason]} (${cause})`);
}
