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
  readonly key: string;
  readonly json: string;
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
  readonly windows: { readonly put: readonly WindowRow[]; readonly delete: readonly string[] };
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

/** A place in the outbox: the first `index` records of block `seq`, and all before it, are done. */
export interface Cursor {
  readonly seq: number;
  readonly index: number;
}

/** A block as delivery reads it. */
export interface StoredBlock extends RecordBlock {
  readonly seq: number;
  /** When it was committed, ms since the epoch. */
  readonly committedMs: number;
}
