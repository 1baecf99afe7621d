import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../agent/clock.ts';
import type { SinkConfig } from '../../agent/config/schema.ts';
import { DeadLetters } from '../../agent/delivery/dead-letters.ts';
import { Delivery } from '../../agent/delivery/delivery.ts';
import { toDeliveryOptions } from '../../agent/delivery/options.ts';
import { createSink } from '../../sinks/index.ts';
import type { Sink, SinkContext } from '../../sinks/sink.ts';
import { CountingEvents } from '../agent/delivery/helpers.ts';
import { memoryLog, openAt } from '../agent/outbox/helpers.ts';
import { change } from '../agent/outbox/records.ts';
import { BEHAVIOURS, type Behaviour, leaveRow } from './conformance-rows.ts';
import { flowBlock } from './records.ts';

/** One destination, made for one test. */
export interface Destination {
  readonly config: SinkConfig;
  /** The ids of the records that it has, in the order of arrival, repeats included. */
  received(): string[] | Promise<string[]>;
  /** Makes the sink, where the configuration alone cannot name the destination. */
  createSink?(context: SinkContext): Promise<Sink>;
  /** Takes what an agent wrote to its standard output before it ended. */
  takeOutput?(bytes: Buffer): void;
  close(): void | Promise<void>;
}

/** Starts a fault; `end` is called when the delivery has felt it. */
export type Fault<D> = (destination: D) => Started | Promise<Started>;
type Started = { end?(): void | Promise<void>; refusedId?: string } | undefined | void;

export interface Conformance<D extends Destination> {
  readonly name: string;
  /** What the destination is: a real server's name and version, or a fixture. */
  readonly destination: string;
  readonly guarantee: 'exactly once' | 'at least once';
  create(): Promise<D>;
  /** How to provoke each behaviour; one that the destination cannot show has the reason instead. */
  readonly faults: { readonly [B in Behaviour]: Fault<D> | { readonly never: string } };
}

/**
 * Runs the suite over one sink: what every sink must do when its destination misbehaves. A sink's entry brings its
 * destination, real or a fixture, and tells for each behaviour how to provoke it; after the fault has passed, every
 * record must be at the destination: exactly once where it can deduplicate, at least once elsewhere.
 */
export function conforms<D extends Destination>(sink: Conformance<D>): void {
  const { name, destination, guarantee } = sink;
  const results = Object.fromEntries(BEHAVIOURS.map((behaviour) => [behaviour, 'not run']));
  afterAll(() => leaveRow({ name, destination, guarantee, results }));
  describe(`sink ${sink.name}`, () => {
    for (const behaviour of BEHAVIOURS) {
      const fault = sink.faults[behaviour];
      if (typeof fault !== 'function') {
        results[behaviour] = `- (${fault.never})`;
        continue;
      }
      test(`the destination: ${behaviour}`, async () => {
        results[behaviour] = 'FAILED';
        const destination = await sink.create();
        onTestFinished(() => destination.close());
        results[behaviour] = await run(sink, destination, behaviour, fault);
      });
    }
  });
}

const RECORDS = 1000;
const RECORDS_WAITING = 50_000;
const AGENT_KILLS = 8;

async function run<D extends Destination>(
  sink: Conformance<D>,
  destination: D,
  behaviour: Behaviour,
  start: Fault<D>,
): Promise<string> {
  if (behaviour === 'agent killed in mid-stream') {
    const records = await deliverWithKills(destination);
    return judge(sink, destination, behaviour, ids(1, records), `${AGENT_KILLS} kills`);
  }
  const folder = tempFolder();
  const outbox = openAt(join(folder, 'state.db'), { sinks: [destination.config.name] });
  const events = new FeltEvents();
  const deadLetters = new DeadLetters(folder, destination.config.name);
  const context = { warn() {}, stop() {} };
  const delivery = new Delivery(
    toDeliveryOptions(destination.config),
    {
      source: outbox,
      createSink: () => destination.createSink?.(context) ?? createSink(destination.config, context),
      deadLetters,
      events,
      log: memoryLog(),
    },
    { ...systemClock, setTimeout: (run, ms) => setTimeout(run, ms >= LONG_MS ? SHORT_MS : ms) },
  );
  onTestFinished(() => delivery.stop(1000));

  const fault = await start(destination);
  const records = behaviour.startsWith('outage') ? RECORDS_WAITING : RECORDS;
  for (let first = 1; first <= records; first += RECORDS_PER_COMMIT) {
    outbox.commit(change({ blocks: [flowBlock(first, RECORDS_PER_COMMIT)] }), Date.now());
    delivery.wake();
    await new Promise(setImmediate);
  }
  if (fault?.end) {
    await Promise.race([events.felt, delivery.drain()]);
    // One that nobody felt may never end.
    expectFelt(events);
    await fault.end();
  }
  await delivery.drain();
  outbox.flush();
  expect(outbox.stats().records).toBe(0);

  const refused = fault?.refusedId === undefined ? [] : [fault.refusedId];
  expect(readDeadLetters(deadLetters.path)).toEqual(refused);
  expect(events.counts).toMatchObject({ delivered: records - refused.length, refused: refused.length });
  if (behaviour !== 'accepts' && refused.length === 0) expectFelt(events);
  const expected = ids(1, records).filter((id) => !refused.includes(id));
  const trouble = Object.keys(events.retriedBy).join(', ');
  return judge(sink, destination, behaviour, expected, trouble);
}

/** Pauses that are meant for hours of trouble are cut short here. */
const LONG_MS = 10_000;
const SHORT_MS = 50;
const RECORDS_PER_COMMIT = 500;

class FeltEvents extends CountingEvents {
  #feel!: () => void;
  /** Resolves when the delivery meets trouble. */
  readonly felt = new Promise<void>((resolve) => {
    this.#feel = resolve;
  });

  override retried(records: number, cause: string): void {
    super.retried(records, cause);
    this.#feel();
  }
}

function expectFelt(events: FeltEvents): void {
  expect(Object.keys(events.retriedBy), 'the fault was felt').not.toEqual([]);
}

/** Every expected record is there, once or at least once, and nothing else. @returns the table's cell */
async function judge(
  { name, guarantee }: Pick<Conformance<Destination>, 'name' | 'guarantee'>,
  destination: Destination,
  behaviour: Behaviour,
  expected: readonly string[],
  trouble: string,
): Promise<string> {
  const received = await destination.received();
  const distinct = new Set(received);
  const missing = expected.filter((id) => !distinct.has(id));
  const wanted = new Set(expected);
  const repeats = received.length - distinct.size;
  const found = {
    missing: inShort(missing),
    unexpected: inShort([...distinct].filter((id) => !wanted.has(id))),
    repeats: guarantee === 'exactly once' ? repeats : 0,
  };
  // Named here too: of a long output this line is what people copy.
  let test = `${name}, ${behaviour}, ${expected.length} records, felt: ${trouble || 'nothing'}`;
  if (missing.length > 0) {
    // What is there now was asked for too early; the rest is lost. It is a failure either way.
    const later = new Set(await destination.received());
    test += `; missing when asked again: ${inShort(missing.filter((id) => !later.has(id)))}`;
  }
  expect(found, test).toEqual({ missing: 'none', unexpected: 'none', repeats: 0 });
  const notes = [trouble, repeats > 0 ? `${repeats} repeated` : ''].filter((note) => note !== '');
  return `ok, ${expected.length} records${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
}

/** Runs an agent's outbox and delivery in a process that is killed again and again, then lets it finish. */
async function deliverWithKills(destination: Destination): Promise<number> {
  const path = join(tempFolder(), 'state.db');
  const args = [
    join(import.meta.dirname, 'agent.ts'),
    path,
    JSON.stringify(destination.config),
    `${KILLED_RECORDS}`,
  ];
  for (let kill = 0; ; kill++) {
    const agent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    agent.stderr.on('data', (bytes) => {
      errors += bytes;
    });
    const output: Buffer[] = [];
    agent.stdout.on('data', (bytes: Buffer) => output.push(bytes));
    const closed = once(agent, 'close');
    // The first thing that it says is that it has opened its state.
    await Promise.race([once(agent.stderr, 'data'), closed]);
    const timer =
      kill < AGENT_KILLS ? setTimeout(() => agent.kill('SIGKILL'), Math.random() * KILL_MS_MAX) : undefined;
    const [code] = await closed;
    clearTimeout(timer);
    destination.takeOutput?.(Buffer.concat(output));
    if (code === 0) return KILLED_RECORDS;
    expect(code, errors).toBeNull();
  }
}

const KILLED_RECORDS = 60_000;
const KILL_MS_MAX = 250;

function ids(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, n) => `r${first + n}`);
}

const STRETCHES_MAX = 5;

/** Their number, and stretches of those that follow each other: whole batches are seen to be such. */
function inShort(ids: readonly string[]): string {
  if (ids.length === 0) return 'none';
  const stretches: [first: number, last: number][] = [];
  for (const n of ids.map((id) => Number(id.slice(1))).sort((a, b) => a - b)) {
    const stretch = stretches.at(-1);
    if (stretch?.[1] === n - 1) stretch[1] = n;
    else stretches.push([n, n]);
  }
  const shown = stretches.slice(0, STRETCHES_MAX).map(([first, last]) => `r${first}–r${last}`);
  return `${ids.length}: ${shown.join(', ')}${stretches.length > STRETCHES_MAX ? ', …' : ''}`;
}

function readDeadLetters(path: string): string[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line).record.id);
}

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
