import { closeSync, openSync, utimesSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Logs } from '../../helpers/file-logs.ts';
import { interrupted } from '../../helpers/reader-calls.ts';
import { SteppedWriter, type WriterOperation } from '../../helpers/stepped-writer.ts';

vi.mock('node:fs', async (real) => {
  const { interruptible } = await import('../../helpers/reader-calls.ts');
  return interruptible(await real());
});

const RUNS = Number(process.env.FC_RUNS ?? 1_000);
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

/** What the reader does: `little` polls for one byte, `wait` a minute later. */
const READER = ['poll', 'little', 'wait', 'commit', 'stop', 'crash'] as const;
type ReaderAction = (typeof READER)[number];

const byNumber = (a: number, b: number) => a - b;

/** A log, its writer and its reader, whose system calls are interleaved as a schedule says. */
class Race implements Disposable {
  readonly logs = new Logs();
  readonly writer = new SteppedWriter(this.logs.path('log'));
  /** System calls of the reader so far. */
  calls = 0;

  write(lines: number, width: number): void {
    for (let i = 0; i < lines; i++)
      for (const step of this.writer.steps({ do: 'write', torn: false, width })) step();
  }

  /** Lets the reader act; before each of its calls `step` may do something, and may let the call fail. */
  read(actions: readonly ReaderAction[], step: (call: string) => void = () => {}): void {
    const poll = (afterMs?: number) =>
      interrupted(
        (call) => {
          this.calls++;
          step(call);
        },
        () => this.logs.poll(afterMs),
      );
    for (const action of actions) {
      if (action === 'poll') poll();
      else if (action === 'wait') poll(70_000);
      else if (action === 'commit') this.logs.commit();
      else if (action === 'stop') this.logs.stop();
      else if (action === 'crash') this.logs.crash();
      else {
        this.logs.bytesMax = 1;
        poll();
        this.logs.bytesMax = Number.POSITIVE_INFINITY;
      }
    }
  }

  /** The lines' numbers, as they were handed over. */
  settle(): number[] {
    this.write(1, 0);
    this.logs.settle();
    return this.logs.lines.map((line) => Number.parseInt(line, 10));
  }

  expected(): number[] {
    return Array.from({ length: this.writer.written }, (_, i) => i);
  }

  [Symbol.dispose](): void {
    this.writer[Symbol.dispose]();
    this.logs[Symbol.dispose]();
  }
}

describe('a rotation between any two system calls of the reader', () => {
  const ALL = Number.POSITIVE_INFINITY;
  test.each<{ name: string; half: ReaderAction[]; whole: ReaderAction[]; first: number }>([
    { name: 'copied, then truncated, running', half: ['poll', 'commit'], whole: [], first: ALL },
    { name: 'copied, then truncated, started again', half: ['poll'], whole: ['poll', 'stop'], first: ALL },
    { name: 'copy begun, then all the rest, running', half: ['poll', 'commit'], whole: [], first: 1 },
  ])('$name', ({ half, whole, first }) => {
    /** Makes the first steps before call `copyAt`, the others before call `truncateAt`; gives the number of calls. */
    const run = (copyAt: number, truncateAt: number): number => {
      using race = new Race();
      race.write(3, 100);
      race.read(half);
      race.write(2, 100);
      race.read(whole);
      utimesSync(race.logs.directory, 1, 1); // The copy changes it, however coarse the clock.
      const rotation = race.writer.steps({ do: 'copytruncate', chunks: 1 });
      const copy = rotation.splice(0, Math.min(first, rotation.length - 1));
      const from = race.calls;
      race.read(['poll'], () => {
        if (race.calls === from + copyAt) for (const step of copy.splice(0)) step();
        if (race.calls !== from + truncateAt) return;
        for (const step of rotation) step();
        race.write(1, 100);
      });
      const calls = race.calls - from;
      expect(race.settle(), `copied at ${copyAt}, truncated at ${truncateAt}`).toEqual(race.expected());
      return calls;
    };
    const calls = run(0, 0);
    for (let copyAt = 1; copyAt <= calls; copyAt++) {
      for (let truncateAt = copyAt; truncateAt <= run(copyAt, truncateAt); truncateAt++);
    }
  });
});

test('rotated and grown again between any two system calls of the reader, when the log had been empty', () => {
  for (let at = 1, calls = at; at <= calls; at++) {
    using race = new Race();
    race.read(['poll']);
    race.write(1, 100);
    const rotate = race.writer.steps({ do: 'copytruncate', chunks: 1 });
    const from = race.calls;
    race.read(['poll'], () => {
      if (race.calls !== from + at) return;
      for (const step of rotate) step();
      race.write(1, 300);
    });
    calls = race.calls - from;
    expect(race.settle().toSorted(byNumber), `rotated at ${at}`).toEqual(race.expected());
  }
});

test('a late line to a backup between any two system calls, while the backup is finished and closed', () => {
  for (let at = 1, calls = at; at <= calls; at++) {
    using race = new Race();
    race.write(1, 0);
    race.read(['poll']);
    const old = openSync(race.logs.path('log'), 'a');
    for (const step of race.writer.steps({ do: 'rename', late: false })) step();
    race.write(1, 0);
    race.read(['poll']);
    const from = race.calls;
    race.read(['wait'], () => {
      if (race.calls === from + at) writeSync(old, 'late\n');
    });
    closeSync(old);
    calls = race.calls - from;
    race.settle();
    expect(race.logs.lines.map((line) => line.trim()).toSorted(), `${at}`).toEqual(['0', '1', '2', 'late']);
  }
});

test.each<{ name: string; before: ReaderAction[] }>([
  { name: 'running', before: [] },
  { name: 'started again', before: ['poll', 'stop'] },
])(
  'any one call of the reader fails with EIO: tried again, nothing lost, nothing twice; $name',
  ({ before }) => {
    let failures = 0;
    for (let at = 1, calls = at; at <= calls; at++) {
      using race = new Race();
      race.write(3, 100);
      race.read(['poll', 'commit']);
      race.write(2, 100);
      for (const step of race.writer.steps({ do: 'rename', late: true })) step();
      race.write(2, 100);
      race.read(before);
      race.write(100, 3_000);
      const from = race.calls;
      race.read(['poll'], (call) => {
        // A descriptor that was only read can be closed on any disk.
        if (race.calls !== from + at || call === 'closeSync') return;
        failures++;
        throw Object.assign(new Error(`EIO: i/o error, ${call}`), { code: 'EIO' });
      });
      calls = race.calls - from;
      expect(race.settle().toSorted(byNumber), `${at}`).toEqual(race.expected());
    }
    expect(failures).toBeGreaterThan(10);
  },
);

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      torn: fc.boolean(),
      width: fc.constantFrom(0, 300, 5_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('copytruncate' as const),
      chunks: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const), late: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant<WriterOperation>({ do: 'compress' }) },
);

test(`every line once, whatever interrupts whom (seed ${seed})`, () => {
  console.log(`steps: ${RUNS} runs, seed ${seed}`);
  fc.assert(
    fc.property(
      fc.array(operation, { minLength: 1, maxLength: 20, size: 'max' }),
      fc.array(fc.constantFrom(...READER), { minLength: 1, maxLength: 15, size: 'max' }),
      fc.array(fc.oneof(fc.constant(0), fc.nat(5), fc.nat(40)), { minLength: 60, maxLength: 60 }),
      (operations, reader, gaps) => {
        using race = new Race();
        let steps: (() => void)[] = [];
        let operationAt = 0;
        let gapAt = 0;
        let next = gaps[0]!;
        const step = (): boolean => {
          while (steps.length === 0) {
            if (operationAt === operations.length) return false;
            steps = race.writer.steps(operations[operationAt++]!);
          }
          steps.shift()!();
          return true;
        };
        race.read(reader, () => {
          while (race.calls >= next && step()) next += gaps[++gapAt % gaps.length]!;
        });
        while (step());
        expect(race.settle().toSorted(byNumber)).toEqual(race.expected());
      },
    ),
    { numRuns: RUNS, seed },
  );
});
