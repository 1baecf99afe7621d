import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as settle } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../agent/clock.ts';
import { DeadLetters } from '../../../agent/delivery/dead-letters.ts';
import { Delivery } from '../../../agent/delivery/delivery.ts';
import type { DeliveryEvents, DeliveryOptions } from '../../../agent/delivery/types.ts';
import type { RecordSource, StoredBlock } from '../../../agent/outbox/types.ts';
import type { Batch, Outcome, Sink } from '../../../sinks/sink.ts';
import { memoryLog } from '../outbox/helpers.ts';

/** Time that moves only when told to. */
export class ManualClock implements Clock {
  nowMs = 1_000_000;
  /** What `random` gives. */
  chance = 0.5;
  #timers = new Map<number, { atMs: number; run: () => void }>();
  #last = 0;

  now(): number {
    return this.nowMs;
  }

  setTimeout(run: () => void, ms: number): number {
    this.#timers.set(++this.#last, { atMs: this.nowMs + ms, run });
    return this.#last;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  random(): number {
    return this.chance;
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  /** ms until the next timer. */
  get nextMs(): number | undefined {
    const times = Array.from(this.#timers.values(), ({ atMs }) => atMs - this.nowMs);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  /** Moves on, runs what is due in its order, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const until = this.nowMs + ms;
    for (;;) {
      await settle();
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= until).sort(byTime)[0];
      if (due === undefined) break;
      const [id, { atMs, run }] = due;
      this.#timers.delete(id);
      this.nowMs = Math.max(this.nowMs, atMs);
      run();
    }
    this.nowMs = until;
    await settle();
  }
}

function byTime(a: [number, { atMs: number }], b: [number, { atMs: number }]): number {
  return a[1].atMs - b[1].atMs || a[0] - b[0];
}

/** An outbox in memory for any number of sinks. */
export class MemorySource implements RecordSource {
  readonly blocks: StoredBlock[] = [];
  readonly positions = new Map<string, number>();
  /** Every confirmation, in order. */
  readonly confirmed: number[] = [];
  confirmedBytes = 0;
  #end = 1;

  /** Adds a block of records with these values, or of `count` values with an id of their number. */
  add(records: number | Record<string, unknown>[], committedMs: number): void {
    const values =
      typeof records === 'number'
        ? Array.from({ length: records }, (_, n) => ({ id: `${this.#end + n}` }))
        : records;
    const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    this.blocks.push({ first: this.#end, count: values.length, bytes, committedMs });
    this.#end += values.length;
  }

  read(position: number): StoredBlock | undefined {
    return this.blocks.find(({ first, count }) => first + count > position);
  }

  position(sink: string): number {
    return this.positions.get(sink) ?? 1;
  }

  begin(): number {
    return this.blocks[0]?.first ?? this.#end;
  }

  end(): number {
    return this.#end;
  }

  acknowledge(sink: string, position: number, bytes: number): void {
    this.positions.set(sink, position);
    this.confirmed.push(position);
    this.confirmedBytes += bytes;
  }
}

export interface Call {
  readonly ids: string[];
  readonly batch: Batch;
  readonly signal: AbortSignal;
  answer(outcome: Outcome): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A sink that answers when the test says so. */
export class ScriptedSink implements Sink {
  /** Requests that wait for an answer, oldest first. */
  readonly calls: Call[] = [];
  readonly all: Call[] = [];
  isClosed = false;
  /** Ignores that it is told to give up. */
  isDeaf = false;

  send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const done = async (finish: () => void) => {
        this.calls.splice(this.calls.indexOf(call), 1);
        finish();
        await settle();
      };
      const call: Call = {
        ids: batch.records.map((record) => record.value().id as string),
        batch,
        signal,
        answer: (outcome) => done(() => resolve(outcome)),
        fail: (error) => done(() => reject(error)),
      };
      signal.addEventListener(
        'abort',
        () => void call.answer({ kind: 'retry', cause: 'network', reason: 'aborted' }),
      );
      this.calls.push(call);
      this.all.push(call);
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

/** Adds up what delivery tells. */
export class CountingEvents implements DeliveryEvents {
  readonly counts = { delivered: 0, refused: 0, filtered: 0, requests: 0 };
  readonly retriedBy: Record<string, number> = {};

  delivered(records: number): void {
    this.counts.delivered += records;
  }
  refused(records: number): void {
    this.counts.refused += records;
  }
  filtered(records: number): void {
    this.counts.filtered += records;
  }
  request(): void {
    this.counts.requests++;
  }
  retried(records: number, cause: string): void {
    this.retriedBy[cause] = (this.retriedBy[cause] ?? 0) + records;
  }
}

export const DELIVERED: Outcome = { kind: 'delivered' };
export const DOWN: Outcome = { kind: 'retry', cause: 'network', reason: 'connection refused' };

/** A delivery with everything around it in the test's hands. */
export function setUp(options: Partial<DeliveryOptions> = {}, source = new MemorySource()) {
  const folder = mkdtempSync(join(tmpdir(), 'delivery-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new ManualClock();
  const sinks: ScriptedSink[] = [];
  const events = new CountingEvents();
  const log = memoryLog();
  const deadLetters = new DeadLetters(folder, options.name ?? 'a');
  const resendParts = {
    createSink: async () => {
      sinks.push(new ScriptedSink());
      return sinks.at(-1)!;
    },
    deadLetters,
    events,
    log,
  };
  const delivery = new Delivery(
    {
      name: 'a',
      batch: { recordsMax: 10, bytesMax: 1 << 20, ageMaxMs: 0 },
      concurrency: 1,
      backoffMinMs: 1000,
      backoffMaxMs: 30_000,
      ...options,
    },
    { ...resendParts, source },
    clock,
  );
  /** Adds records and lets the delivery see them. */
  const commit = async (records: number | Record<string, unknown>[]) => {
    source.add(records, clock.nowMs);
    delivery.wake();
    await settle();
  };
  return {
    clock,
    source,
    sinks,
    events,
    log,
    deadLetters,
    resendParts,
    delivery,
    commit,
    /** Requests without an answer. */
    calls: () => sinks.at(-1)?.calls ?? [],
    answerNext: async (outcome: Outcome = DELIVERED) => sinks.at(-1)!.calls[0]!.answer(outcome),
  };
}

export { settle };
