import { REPEATED_BYTES_MAX } from '../../sinks/sink.ts';
import type { Log } from '../observe/log.ts';
import { type Cursors, isUnsaved, lowestPosition, newCursor, takenUntil } from './cursors.ts';
import { toOutboxError } from './failure.ts';
import { Fullness } from './fullness.ts';
import { KnownState } from './known-state.ts';
import { type DatabaseOptions, LiveStore } from './live-store.ts';
import { pack } from './packing.ts';
import { RecentBlocks } from './recent-blocks.ts';
import type { BlockRow, Store } from './store.ts';
import type {
  Commit,
  CommitResult,
  OutboxStats,
  RecordBlock,
  RecordSource,
  SavedState,
  StoredBlock,
} from './types.ts';

/**
 * The outbox: offsets, windows, stage values and records in one database, written by one process.
 *
 * - When `commit` returns `ok`, neither kill -9 nor a power loss takes back any part of it; when it does not,
 *   no part of it was written.
 * - A record is deleted only once every configured sink has confirmed it (or `drop_oldest` took it, counted).
 * - A confirmation becomes durable with the next commit, after `CONFIRM_DELAY_MS` at the latest, and before
 *   `REPEATED_BYTES_MAX` of a sink's records are confirmed and not yet durable. A crash makes a sink see again
 *   at most what it confirmed since, and what was under way.
 * - What is full refuses only what adds: confirming and deleting go on, see room.ts.
 * - A database that is corrupt is started afresh, see live-store.ts, with the checkpoints and values that are
 *   known; the records and open windows in it are lost, and counted.
 * - It never waits for a sink and knows none; it refuses a second agent on the same file.
 */
export class Outbox implements RecordSource {
  readonly #options: OutboxOptions;
  readonly #log: Log;
  readonly #live: LiveStore;
  #sinks: Cursors = new Map();
  /** Number of the next record, and bytes of all records before it. */
  #end = 1;
  #bytesEnd = 0;
  #oldest: BlockRow | undefined;
  readonly #known = new KnownState();
  readonly #recent = new RecentBlocks();
  readonly #fullness: Fullness;
  #timer: NodeJS.Timeout | undefined;
  #recordsLost = 0;

  constructor(options: OutboxOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#fullness = new Fullness(options.whenFull === 'block' ? options.sizeMaxBytes : Infinity);
    this.#live = new LiveStore(options, log, {
      resume: (store) => this.#resume(store),
      lose: () => this.#lose(),
      refill: (store) => this.#refill(store),
    });
  }

  /** Opens the database; call it once, before anything else. @throws OutboxError */
  open(): void {
    this.#live.open();
    this.configureSinks(this.#options.sinks);
  }

  /** What was committed before the restart. */
  load(): SavedState {
    const state = this.#live.load() ?? { checkpoints: [], windows: [], values: new Map() };
    this.#known.remember({ checkpoints: state.checkpoints, forget: [], values: [...state.values] });
    return state;
  }

  /**
   * Keeps the cursors of these sinks and no others. A sink that is new begins with the next record.
   * @throws OutboxError
   */
  configureSinks(names: readonly string[]): void {
    // A sink that leaves may still be writing what the next one of its name will have confirmed.
    this.#recent.clear();
    const sinks: Cursors = new Map();
    for (const name of names) sinks.set(name, this.#sinks.get(name) ?? newCursor(this.#end));
    const removed = [...this.#sinks].filter(([name]) => !sinks.has(name));
    for (const [sink, { position }] of removed) {
      const records = this.#end - position;
      this.#log.info({ sink, records }, 'sink is no longer configured: its place in the outbox is gone');
    }
    // A full disk must not keep an agent from starting that has nothing to write.
    if (removed.length === 0 && ![...sinks.values()].some(isUnsaved)) {
      this.#sinks = sinks;
      return;
    }
    try {
      this.#write(() => {
        for (const [name] of removed) this.#live.store.deleteCursor(name);
      }, sinks);
    } catch (error) {
      throw toOutboxError(error, this.#options.path);
    }
  }

  /**
   * Writes everything in one transaction and returns when it is on the disk. Blocks must not change any more.
   * With `ok: false` the caller keeps the change, stops reading, and tries again.
   */
  commit(change: Commit, nowMs: number): CommitResult {
    const state = this.#known.withoutRepetition(change);
    if (isEmpty(state)) return OK;
    const result = this.#live.run(() => this.#writeCommit(state, nowMs));
    if (result.ok) this.#known.remember(state);
    else this.#armTimer();
    return result;
  }

  read(position: number): StoredBlock | undefined {
    if (this.#oldest === undefined || position >= this.#end) return undefined;
    const recent = this.#recent.at(position);
    if (recent !== undefined) return recent;
    let block: StoredBlock | undefined;
    this.#live.runQuietly(() => {
      // Once more, for a database that was started afresh holds no blocks.
      if (this.#oldest) block = this.#live.store.blockAt(Math.max(position, this.#oldest.first));
    });
    return block;
  }

  position(sink: string): number {
    const cursor = this.#sinks.get(sink);
    if (cursor === undefined) throw new Error(`no sink ${sink} in the outbox`);
    return cursor.position;
  }

  begin(): number {
    return this.#oldest?.first ?? this.#end;
  }

  end(): number {
    return this.#end;
  }

  acknowledge(sink: string, position: number, bytes: number): void {
    const cursor = this.#sinks.get(sink);
    // A sink that was removed from the configuration may still hear of its last request.
    if (cursor === undefined) return;
    cursor.unsavedBytes += bytes;
    if (position <= cursor.position) return;
    cursor.position = position;
    // Whoever waits for room should not wait for the timer.
    if (cursor.unsavedBytes >= REPEATED_BYTES_MAX || this.#fullness.wasReached) this.flush();
    else this.#armTimer();
  }

  /** Makes every confirmation durable now; what fails is logged and tried again later. */
  flush(): CommitResult {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (![...this.#sinks.values()].some(isUnsaved)) return OK;
    const result = this.#live.runQuietly(() => this.#write(() => {}));
    if (!result.ok) this.#armTimer();
    return result;
  }

  /** Resolves when fewer bytes of records than these wait, which are the same in every call; undefined where fewer do. */
  untilBelow(bytes: number): Promise<void> | undefined {
    return this.#fullness.untilBelow(bytes, this.#bytes());
  }

  /** Whether to stop reading: `size_max` is reached and the policy is `block`. */
  isFull(): boolean {
    return this.#fullness.isReached(this.#bytes());
  }

  stats(): OutboxStats {
    return {
      records: this.#oldest ? this.#end - this.#oldest.first : 0,
      bytes: this.#bytes(),
      oldestMs: this.#oldest?.committedMs,
      sinks: Array.from(this.#sinks, ([name, { position, dropped }]) => ({
        name,
        records: this.#end - position,
        dropped,
      })),
      corruptions: this.#live.corruptions,
      recordsLost: this.#recordsLost,
    };
  }

  close(): void {
    this.flush();
    clearTimeout(this.#timer);
    // What a sink that does not let go confirms from now on must not open the database again.
    this.#sinks = new Map();
    this.#live.close();
  }

  #writeCommit(change: Commit, nowMs: number): void {
    const { store } = this.#live;
    const blocks = change.blocks.map(pack);
    this.#live.ensureRoom({ ...change, blocks });
    let end = this.#end;
    let bytesEnd = this.#bytesEnd;
    const dropBefore = this.#dropBefore(change.blocks.reduce((sum, { bytes }) => sum + bytes.length, 0));
    // What is taken from a sink may be on its way to it.
    if (dropBefore !== undefined) this.#recent.clear();
    this.#write(
      () => {
        store.putState(change);
        for (const block of blocks) {
          store.insertBlock(block, end, bytesEnd, nowMs);
          end += block.count;
          bytesEnd += block.size;
        }
      },
      dropBefore === undefined ? this.#sinks : takenUntil(this.#sinks, dropBefore),
    );
    this.#recent.add(change.blocks, this.#end, nowMs);
    this.#end = end;
    this.#bytesEnd = bytesEnd;
    this.#trimRecent();
  }

  /** Deletes what every sink has, and writes `more` and the cursors; then `sinks` are the truth. */
  #write(more: () => void, sinks = this.#sinks): void {
    const { store } = this.#live;
    let oldest = this.#oldest;
    store.transaction(() => {
      const lowest = lowestPosition(sinks, this.#end);
      const isDone = oldest !== undefined && lowest >= oldest.first + oldest.count;
      // Before anything is added, which then takes its place: in each commit of a node at work.
      if (isDone) store.deleteBlocks(lowest);
      more();
      for (const [name, cursor] of sinks) {
        if (isUnsaved(cursor)) store.putCursor(name, cursor.position);
      }
      if (isDone || oldest === undefined) oldest = store.firstBlock();
    });
    this.#oldest = oldest;
    this.#sinks = sinks;
    for (const cursor of sinks.values()) {
      cursor.savedPosition = cursor.position;
      cursor.unsavedBytes = 0;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#trimRecent();
    this.#fullness.lessened(this.#bytes());
    if (oldest === undefined) this.#live.giveBackRoom();
  }

  #trimRecent(): void {
    const finished = this.#recent.trim(this.begin(), this.#bytes());
    if (finished.length > 0) this.#options.finished?.(finished);
  }

  /** With `drop_oldest`: the position before which blocks must go so that `incoming` bytes fit. */
  #dropBefore(incoming: number): number | undefined {
    const excess = this.#bytes() + incoming - this.#options.sizeMaxBytes;
    if (this.#options.whenFull !== 'drop_oldest' || excess <= 0 || !this.#oldest) return undefined;
    return this.#live.store.positionAfterBytes(this.#oldest.bytesBefore + excess) ?? this.#end;
  }

  #bytes(): number {
    return this.#oldest ? this.#bytesEnd - this.#oldest.bytesBefore : 0;
  }

  #armTimer(): void {
    // Not `unref`: Node.js wakes up for such timers also after they were cleared.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, CONFIRM_DELAY_MS);
  }

  /** Goes on where an earlier process was. */
  #resume(store: Store): void {
    const last = store.lastBlock();
    this.#oldest = store.firstBlock();
    for (const [name, position] of store.cursors()) {
      this.#sinks.set(name, { ...newCursor(position), savedPosition: position });
    }
    this.#end = last ? last.first + last.count : 1;
    for (const { position } of this.#sinks.values()) this.#end = Math.max(this.#end, position);
    this.#bytesEnd = last ? last.bytesBefore + last.size : 0;
  }

  /** The database is gone, with all that waited in it. @returns how many records that were */
  #lose(): number {
    const records = this.#end - lowestPosition(this.#sinks, this.#end);
    this.#recent.clear();
    this.#recordsLost += records;
    this.#oldest = undefined;
    return records;
  }

  /** Puts what this process knows into a database that was started afresh. */
  #refill(store: Store): void {
    for (const [name, { dropped }] of this.#sinks) {
      this.#sinks.set(name, newCursor(this.#end, dropped));
    }
    store.transaction(() => {
      store.putState(this.#known.asChange());
      for (const name of this.#sinks.keys()) store.putCursor(name, this.#end);
    });
  }
}

export interface OutboxOptions extends DatabaseOptions {
  /** Most bytes of records that wait. */
  readonly sizeMaxBytes: number;
  readonly whenFull: 'block' | 'drop_oldest';
  /** Names of the sinks, each of which gets every record. */
  readonly sinks: readonly string[];
  /** Given the blocks of commits when all sinks have confirmed them, but for some: nobody has to do with them any more. */
  readonly finished?: (blocks: readonly RecordBlock[]) => void;
}

/** How long a confirmation may wait for a commit to ride on. */
export const CONFIRM_DELAY_MS = 1000;
const OK: CommitResult = { ok: true };

function isEmpty({ checkpoints, forget, windows, values, blocks }: Commit): boolean {
  const rows = checkpoints.length + forget.length + windows.put.length + windows.delete.length;
  return rows + values.length + blocks.length === 0;
}
