/** What the state database takes in one transaction and gives back after a restart. */

/** How far one file has been read. Its key names a file's content, not its path. */
export interface Checkpoint {
  readonly key: string;
  readonly input: string;
  /** Opaque to the outbox: identity, offset and parser state, as JSON. */
  readonly json: string;
}

/** One open window, opaque to the outbox. */
export interface WindowRow {
  /** A whole number that no other window has while this one is open. */
  readonly key: number;
  /** What does not change while it is open, as JSON; written once. */
  readonly opened: string;
  /** What does, as JSON. */
  readonly state: string;
}

/** Records as newline-delimited JSON, each line ended; the unit in which the outbox stores and deletes. */
export interface RecordBlock {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Everything that one stretch of reading changed; all of it is committed, or none. */
export interface Commit {
  readonly checkpoints: readonly Checkpoint[];
  /** Keys of checkpoints whose files are finished and gone. */
  readonly forget: readonly string[];
  readonly windows: { readonly put: readonly WindowRow[]; readonly delete: readonly number[] };
  /** Named states of the stages and formats, as JSON (limiter, summary, replay memory). */
  readonly values: readonly (readonly [name: string, json: string])[];
  readonly blocks: readonly RecordBlock[];
}

/** What was committed before the restart. */
export interface SavedState {
  readonly checkpoints: readonly Checkpoint[];
  readonly windows: readonly WindowRow[];
  readonly values: ReadonlyMap<string, string>;
}

/**
 * What became of a commit. When it failed nothing was changed, and the same commit may be tried again:
 * the file system is full, does not let us write, or fails.
 */
export type CommitResult = { readonly ok: true } | CommitFailure;

export interface CommitFailure {
  readonly ok: false;
  readonly reason: 'disk_full' | 'permission' | 'io_error';
  readonly message: string;
}

/**
 * A block as delivery reads it. Records have numbers in the order of their commits, without gaps; a *position* is
 * the number of a record, and says that all records before it are done.
 */
export interface StoredBlock extends RecordBlock {
  /** Number of the block's first record. */
  readonly first: number;
  /** When it was committed, ms since the epoch. */
  readonly committedMs: number;
}

/** Figures for metrics; they cost nothing to ask for. */
export interface OutboxStats {
  /** Records that wait for at least one sink, and their bytes. */
  readonly records: number;
  readonly bytes: number;
  /** When the oldest of them was committed, ms since the epoch. */
  readonly oldestMs: number | undefined;
  readonly sinks: readonly SinkBacklog[];
  /** Databases that were moved aside since the start. */
  readonly corruptions: number;
  /** Records that were in them, and that at least one sink had not confirmed. */
  readonly recordsLost: number;
}

export interface SinkBacklog {
  readonly name: string;
  /** Records that this sink has not confirmed. */
  readonly records: number;
  /** Records that `when_full: drop_oldest` took from it since the start. */
  readonly dropped: number;
}

/** What delivery needs of the outbox. */
export interface RecordSource {
  /** The block that holds the record at `position`, or the next one after it. */
  read(position: number): StoredBlock | undefined;
  /** Where a sink goes on. */
  position(sink: string): number;
  /** The position of the first record that is there; `end` when none is. */
  begin(): number;
  /** The position after the last record. */
  end(): number;
  /** All records before `position` are done; `bytes` is how many that are since the sink's last call. */
  acknowledge(sink: string, position: number, bytes: number): void;
}
