import { once } from 'node:events';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import type { Delivery } from './delivery/delivery.ts';
import type { Input } from './inputs/types.ts';
import type { Intake } from './intake.ts';
import type { Logger } from './observe/log.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { Commit } from './outbox/types.ts';
import type { RecordBuffer } from './record-buffer.ts';

/** What one input may read before the others have their turn. */
const POLL_BYTES = 1 << 20;
/** So many bytes of records are committed at once while there is more to read: a commit costs a sync of the disk, and
 * a row for each window that is open just then. */
const COMMIT_BYTES = 4 << 20;
/** How long progress waits otherwise, and records while there is more to read; what a crash undoes of it is read
 * again, with the same outcome. */
const COMMIT_WAIT_MS = 1000;
/** While sinks take records, reading gives them time when they are this far behind: what was written is then
 * delivered from memory, and the database stays small. */
const AHEAD_BYTES_MAX = 8 << 20;
/** How much time, for each poll: a sink that is slow slows reading down to some 20 MB/s, and one that stands still does not. */
const AHEAD_WAIT_MS = 50;
/** Longest pause between two turns of the loop. */
const TURN_MS_MAX = 1000;
/** How often reading is tried again while the outbox is full or cannot be written. */
const STALLED_MS = 1000;
const OUTBOX_FULL = 'the outbox is full: reading stops until a sink has taken records';

/** What a reload of the configuration replaces. */
export interface Replaceable {
  readonly inputs: readonly Input[];
  readonly intake: Intake;
  /** One for each sink. */
  readonly deliveries: readonly Delivery[];
  /** Resolves when lines may be read: what they are enriched by is there, or is not to be waited for any longer. */
  readonly ready?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Told before every look at the inputs. */
  readonly looking?: (() => void) | undefined;
}

export interface AgentParts extends Replaceable {
  readonly records: RecordBuffer;
  readonly outbox: Outbox;
  readonly log: Logger;
  readonly shutdownTimeoutMs: number;
  /** Called at every turn of the loop, once a second or oftener; may ask for `replace`. */
  readonly turn: (nowMs: number) => void;
  /** Told how many bytes each poll of an input has read. */
  readonly read: (input: string, bytes: number) => void;
  /** Called once every input has been looked at: what is written from now on is new. */
  readonly started: () => void;
}

/**
 * The running agent: polls the inputs, leads their lines into the pipeline, commits what came of them together
 * with how far they were read, and wakes delivery.
 *
 * Promises: what polls handed over is committed in one transaction with the offsets behind it; records are once
 * the inputs have been read to their ends, and before they are old or many. While that cannot be (a full disk)
 * nothing is read, delivery goes on, and reading resumes by itself. What was read and not committed is read again
 * after a crash. Nothing depends on a clean stop: it only makes the next start shorter.
 *
 * Inert until `run`.
 */
export class Agent {
  #parts: AgentParts;
  /** When each input is to be looked at next, ms since the epoch, and when that was last asked. */
  #dueMs: number[];
  #polledMs = 0;
  /** Makes what is to replace inputs, intake and deliveries. */
  #replace: (() => Promise<Replaceable>) | undefined;
  /** What was read and not committed yet: what it changed is taken from the parts only once. */
  #pending: Commit | undefined;
  #stalledFor: string | undefined;
  #committedMs = 0;
  /** Where the outbox began when waiting for sinks was in vain. */
  #stuckAt = -1;
  /** Ends the pause that is under way. */
  #endPause = () => {};

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#dueMs = parts.inputs.map(() => 0);
  }

  /**
   * Has inputs, intake and deliveries replaced as soon as all that was read is committed; nothing is read meanwhile.
   * @param make makes what replaces them; when it rejects, it is called again until it succeeds
   */
  replace(make: () => Promise<Replaceable>): void {
    this.#replace = make;
  }

  /** Runs until the signal, or, with `once`, until all that is there has been read and delivered. */
  async run(signal: AbortSignal, once: boolean): Promise<void> {
    signal.addEventListener('abort', () => this.#endPause());
    for (const delivery of this.#parts.deliveries) delivery.wake();
    await this.#parts.ready?.(signal);
    let started = false;
    while (!signal.aborted) {
      this.#parts.turn(Date.now());
      if (this.#replace !== undefined) await this.#replaceNow(this.#replace, signal);
      const now = Date.now();
      const reading = this.#canRead(now);
      const bytes = reading ? this.#poll(now, once) : 0;
      if (reading && !started) this.#parts.started();
      started ||= reading;
      const restMs = reading ? this.#restMs() : STALLED_MS;
      if (bytes > 0 && (once || restMs === 0)) await this.#letOthersWork(signal);
      else if (reading && once) break;
      else await this.#pause(Math.min(restMs, TURN_MS_MAX), signal);
    }
    const { deliveries, intake } = this.#parts;
    if (once && !signal.aborted) {
      await this.#commitAll(signal);
      intake.closeAll();
      await this.#commitAll(signal);
      await Promise.race([Promise.all(deliveries.map((delivery) => delivery.drain())), aborted(signal)]);
    }
    this.#commit(Date.now());
    await Promise.all(deliveries.map((delivery) => delivery.stop(this.#parts.shutdownTimeoutMs)));
  }

  /** Whether what was read is safe and there is room for more; says once that it is not, and once that it is. */
  #canRead(nowMs: number): boolean {
    const reason = this.#retryCommit(nowMs) ?? (this.#parts.outbox.isFull() ? OUTBOX_FULL : undefined);
    if (reason !== this.#stalledFor) {
      if (reason === undefined) this.#parts.log.info('reading goes on');
      else this.#parts.log.warn(reason);
      this.#stalledFor = reason;
    }
    return reason === undefined;
  }

  /** @returns bytes read from the inputs whose turn it was */
  #poll(nowMs: number, all: boolean): number {
    const { inputs, intake, records, looking } = this.#parts;
    looking?.();
    let bytes = 0;
    let hasMore = false;
    // The clock was set back: what was due at its old time is due now.
    if (nowMs < this.#polledMs) this.#dueMs.fill(nowMs);
    this.#polledMs = nowMs;
    for (const [index, input] of inputs.entries()) {
      if (nowMs < this.#dueMs[index]! && !all) continue;
      const read = input.poll(nowMs, POLL_BYTES, intake.lane(input.name, nowMs));
      if (read === 0) intake.quiet(input.name, nowMs);
      this.#dueMs[index] = nowMs + input.nextPollMs(nowMs);
      bytes += read;
      hasMore ||= read >= POLL_BYTES;
      this.#parts.read(input.name, read);
    }
    if (all ? bytes === 0 : this.#dueMs.every((dueMs) => dueMs > nowMs)) intake.allQuiet(nowMs);
    const isUrgent = records.size > 0 && (!hasMore || records.size >= COMMIT_BYTES);
    // A clock that was set back must not put it off.
    if (isUrgent || Math.abs(nowMs - this.#committedMs) >= COMMIT_WAIT_MS) this.#commit(nowMs);
    return bytes;
  }

  /** Between two polls: a turn of the event loop, or more where sinks fall behind and are about to catch up. */
  async #letOthersWork(signal: AbortSignal): Promise<void> {
    const { outbox } = this.#parts;
    const behind = outbox.begin() === this.#stuckAt ? undefined : outbox.untilBelow(AHEAD_BYTES_MAX);
    if (behind === undefined) {
      await turnOfLoop();
      return;
    }
    const begin = outbox.begin();
    await Promise.race([behind, this.#pause(AHEAD_WAIT_MS, signal)]);
    this.#stuckAt = outbox.begin() === begin ? begin : -1;
  }

  /** Waits so long, or until the signal; the signal is listened to once, for each look at the inputs ends with a pause. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #restMs(): number {
    return Math.max(0, Math.min(...this.#dueMs) - Date.now());
  }

  async #commitAll(signal: AbortSignal): Promise<void> {
    while (this.#retryCommit(Date.now()) !== undefined && !signal.aborted)
      await this.#pause(STALLED_MS, signal);
    while (this.#commit(Date.now()) !== undefined && !signal.aborted) await this.#pause(STALLED_MS, signal);
  }

  async #replaceNow(make: () => Promise<Replaceable>, signal: AbortSignal): Promise<void> {
    await this.#commitAll(signal);
    if (signal.aborted) return;
    try {
      this.#parts = { ...this.#parts, ...(await make()) };
    } catch (error) {
      this.#parts.log.error(`cannot apply the new configuration: ${(error as Error).message}; trying again`);
      await this.#pause(STALLED_MS, signal);
      return;
    }
    // Another one may have come meanwhile.
    if (this.#replace === make) this.#replace = undefined;
    this.#dueMs = this.#parts.inputs.map(() => 0);
    for (const delivery of this.#parts.deliveries) delivery.wake();
    await this.#parts.ready?.(signal);
  }

  /** Repeats the commit that failed, if one did. @returns why it cannot be written yet */
  #retryCommit(nowMs: number): string | undefined {
    return this.#pending && this.#commit(nowMs);
  }

  /** @returns why what was read could not be committed, or undefined */
  #commit(nowMs: number): string | undefined {
    const { inputs, intake, records, outbox, deliveries } = this.#parts;
    this.#pending ??= changesOf(inputs, intake, records);
    this.#committedMs = nowMs;
    if (this.#pending === undefined) return undefined;
    const result = outbox.commit(this.#pending, nowMs);
    if (!result.ok) return `the state database takes nothing (${result.reason}): reading stops until it does`;
    if (this.#pending.blocks.length > 0) for (const delivery of deliveries) delivery.wake();
    this.#pending = undefined;
    return undefined;
  }
}

/** Everything that changed since the last commit, or undefined. */
function changesOf(inputs: readonly Input[], intake: Intake, records: RecordBuffer): Commit | undefined {
  const checkpoints = inputs.map((input) => input.checkpoints());
  const { windows, values } = intake.takeChanges();
  const commit: Commit = {
    checkpoints: checkpoints.flatMap(({ put }) => put),
    forget: checkpoints.flatMap(({ forget }) => forget),
    windows,
    values,
    blocks: records.take(),
  };
  const parts = [commit.checkpoints, commit.forget, windows.put, windows.delete, values, commit.blocks];
  return parts.some((part) => part.length > 0) ? commit : undefined;
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, 'abort');
}
