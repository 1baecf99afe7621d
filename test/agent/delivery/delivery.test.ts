import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AFTER_MS_MAX, UNAUTHORIZED_MS_MIN } from '../../../agent/delivery/backoff.ts';
import { ABORT_GRACE_MS } from '../../../agent/delivery/delivery.ts';
import { DELIVERED, DOWN, MemorySource, settle, setUp } from './helpers.ts';

test('records are sent in order, in batches, and confirmed when delivered', async () => {
  const { source, commit, calls, answerNext, events, clock, delivery } = setUp();
  await commit(25);
  expect(calls().map(({ ids }) => ids.length)).toEqual([10]);
  expect(source.confirmed).toEqual([]);
  await answerNext();
  expect(source.confirmed).toEqual([11]);
  await answerNext();
  expect(calls()[0]!.ids).toEqual(['21', '22', '23', '24', '25']);
  await answerNext();
  expect(source.confirmed).toEqual([11, 21, 26]);
  expect(source.confirmedBytes).toBe(source.blocks[0]!.bytes.length);
  expect(events.counts).toMatchObject({ delivered: 25, requests: 3 });
  expect(clock.timerCount).toBe(0);
  expect(delivery.state()).toMatchObject({ requestsInFlight: 0, bytesInFlight: 0, failures: 0 });
});

test('it begins where the outbox says, also within a block', async () => {
  const source = new MemorySource();
  source.add(5, 0);
  source.positions.set('a', 4);
  const { commit, calls, answerNext } = setUp({}, source);
  await commit(1);
  expect(calls()[0]!.ids).toEqual(['4', '5', '6']);
  await answerNext();
  expect(source.confirmed).toEqual([7]);
});

test('it goes on behind records that the outbox has dropped', async () => {
  const { source, commit, calls, answerNext, delivery } = setUp();
  await commit(10);
  await commit(10);
  await commit(5);
  source.blocks.splice(0, 2);
  await answerNext();
  expect(calls()[0]!.ids).toEqual(['21', '22', '23', '24', '25']);
  source.blocks.splice(0, 1);
  await answerNext();
  await delivery.drain();
  expect(source.confirmed).toEqual([11, 26]);
});

test('a batch that is not full waits for its age, counted from the commit', async () => {
  const { clock, commit, calls } = setUp({ batch: { recordsMax: 10, bytesMax: 1 << 20, ageMaxMs: 100 } });
  await commit(3);
  await clock.advance(60);
  await commit(3);
  expect(calls()).toEqual([]);
  await clock.advance(39);
  expect(calls()).toEqual([]);
  await clock.advance(1);
  expect(calls()[0]!.ids).toHaveLength(6);
});

test('a full batch does not wait', async () => {
  const { commit, calls } = setUp({ batch: { recordsMax: 10, bytesMax: 1 << 20, ageMaxMs: 60_000 } });
  await commit(10);
  expect(calls()[0]!.ids).toHaveLength(10);
});

test('the pause before a retry doubles up to its bound, with full jitter, and never ends', async () => {
  const { clock, commit, answerNext, events, log } = setUp();
  await commit(1);
  const ceilings = [1, 2, 4, 8, 16, 30, 30, 30, 30].map((seconds) => seconds * 1000);
  for (const [n, ceiling] of ceilings.entries()) {
    clock.chance = [0, 0.25, 0.999][n % 3]!;
    await answerNext(DOWN);
    expect(clock.timerCount).toBe(1);
    expect(clock.nextMs).toBe(Math.round(ceiling * clock.chance));
    await clock.advance(clock.nextMs!);
  }
  await answerNext();
  expect(events.counts.delivered).toBe(1);
  expect(events.retriedBy).toEqual({ network: ceilings.length });
  expect(clock.timerCount).toBe(0);
  // Loud at first, then ever more seldom; and once when it is over.
  expect(log.lines.map(({ level, details }) => [level, details.failures])).toEqual([
    ['warn', 1],
    ['warn', 4],
    ['warn', 8],
    ['info', 9],
  ]);
});

test('after a success the pause is short again', async () => {
  const { clock, commit, answerNext } = setUp();
  clock.chance = 0.5;
  await commit(1);
  for (let n = 0; n < 5; n++) {
    await answerNext(DOWN);
    await clock.advance(30_000);
  }
  await answerNext();
  await commit(1);
  await answerNext(DOWN);
  expect(clock.nextMs).toBe(500);
});

test.each([
  ['longer than the backoff', 7_000, 7_000],
  ['shorter than the backoff', 10, 500],
  ['absurdly long', 1e12, AFTER_MS_MAX],
])('a pause that the destination asks for, %s, is honoured', async (_name, afterMs, expected) => {
  const { clock, commit, answerNext } = setUp();
  await commit(1);
  await answerNext({ kind: 'retry', cause: 'busy', reason: '429', afterMs });
  expect(clock.nextMs).toBe(expected);
});

test('refused credentials: slowly, loudly, and with a sink that was made anew', async () => {
  const { clock, commit, answerNext, sinks, log, calls } = setUp();
  clock.chance = 0;
  await commit(1);
  await answerNext({ kind: 'retry', cause: 'unauthorized', reason: 'HTTP 401' });
  expect(clock.nextMs).toBe(UNAUTHORIZED_MS_MIN / 2);
  await clock.advance(clock.nextMs!);
  expect(sinks.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  expect(calls()[0]!.ids).toEqual(['1']);
  await answerNext({ kind: 'retry', cause: 'unauthorized', reason: 'HTTP 401' });
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
});

test('a sink that fails by an exception is a retry', async () => {
  const { clock, commit, calls, answerNext, events } = setUp();
  await commit(1);
  await calls()[0]!.fail(new TypeError('a defect'));
  expect(events.retriedBy).toEqual({ error: 1 });
  await clock.advance(1000);
  await answerNext();
  expect(events.counts.delivered).toBe(1);
});

test('with several requests under way, positions are confirmed in order', async () => {
  const { source, commit, calls } = setUp({ concurrency: 3 });
  await commit(40);
  const [first, second, third] = calls();
  await third!.answer(DELIVERED);
  await second!.answer(DELIVERED);
  expect(source.confirmed).toEqual([]);
  expect(calls().map(({ ids }) => ids[0])).toEqual(['1', '31']);
  await first!.answer(DELIVERED);
  expect(source.confirmed).toEqual([31]);
  await calls()[0]!.answer(DELIVERED);
  expect(source.confirmed).toEqual([31, 41]);
});

test('a failure pauses the sink once, and what failed goes first afterwards', async () => {
  const { clock, commit, calls, delivery, events } = setUp({ concurrency: 4 });
  await commit(80);
  for (const call of [...calls()].reverse()) await call.answer(DOWN);
  expect(delivery.state()).toMatchObject({ failures: 1, concurrency: 2, requestsInFlight: 0 });
  expect(clock.timerCount).toBe(1);
  await commit(10);
  expect(calls()).toEqual([]);
  await clock.advance(500);
  expect(calls().map(({ ids }) => ids[0])).toEqual(['1', '11']);
  expect(events.retriedBy).toEqual({ network: 40 });
});

test('the number of requests under way falls when the destination fails and rises when it recovers', async () => {
  const { clock, source, commit, calls, answerNext, delivery } = setUp({ concurrency: 8 });
  await commit(2000);
  const limits: number[] = [];
  for (let n = 0; n < 3; n++) {
    for (const call of [...calls()]) await call.answer(DOWN);
    limits.push(delivery.state().concurrency);
    await clock.advance(30_000);
  }
  expect(limits).toEqual([4, 2, 1]);
  while (source.position('a') <= 2000) await answerNext();
  expect(delivery.state().concurrency).toBe(8);
  expect(calls()).toEqual([]);
});

test('it falls, too, when answers become slow', async () => {
  const { clock, commit, calls, delivery } = setUp({ concurrency: 4 });
  await commit(2000);
  const answerAllAfter = async (ms: number) => {
    const pending = [...calls()];
    await clock.advance(ms);
    for (const call of pending) await call.answer(DELIVERED);
  };
  for (let n = 0; n < 10; n++) await answerAllAfter(20);
  expect(delivery.state().concurrency).toBe(4);
  for (let n = 0; n < 5; n++) await answerAllAfter(2000);
  expect(delivery.state().concurrency).toBe(1);
  for (let n = 0; n < 20; n++) await answerAllAfter(20);
  expect(delivery.state().concurrency).toBe(4);
});

test('a request that takes too long is given up and sent again', async () => {
  const { clock, commit, sinks, events, delivery } = setUp({ requestTimeoutMs: 5000 });
  await commit(1);
  await clock.advance(4999);
  expect(sinks[0]!.all[0]!.signal.aborted).toBe(false);
  await clock.advance(1);
  expect(sinks[0]!.all[0]!.signal.aborted).toBe(true);
  expect(events.retriedBy).toEqual({ timeout: 1 });
  expect(delivery.state().failures).toBe(1);
  await clock.advance(1000);
  expect(sinks[0]!.calls).toHaveLength(1);
});

test('too large: halved until it fits, later batches are smaller, and one record alone is refused', async () => {
  const { commit, calls, sinks, source, events, deadLetters } = setUp({
    batch: { recordsMax: 8, bytesMax: 1 << 20, ageMaxMs: 0 },
  });
  await commit([
    ...Array.from({ length: 15 }, (_, n) => ({ id: `${n + 1}` })),
    { id: '16', text: 'x'.repeat(500) },
  ]);
  while (calls().length > 0) {
    const call = calls()[0]!;
    await call.answer(call.batch.bytes > 60 ? { kind: 'too_large', reason: 'HTTP 413' } : DELIVERED);
  }
  expect(sinks[0]!.all.filter(({ batch }) => batch.bytes <= 60).flatMap(({ ids }) => ids)).toEqual(
    Array.from({ length: 15 }, (_, n) => `${n + 1}`),
  );
  expect(events.counts).toMatchObject({ delivered: 15, refused: 1 });
  expect(source.confirmed.at(-1)).toBe(17);
  expect(readFileSync(deadLetters.path, 'utf8')).toMatch(
    /"reason":"HTTP 413","record":\{"id":"16","text":"x+"\}\}\n$/,
  );
  await commit(8);
  expect(calls()[0]!.batch.bytes).toBeLessThanOrEqual(60);
});

test('records that are refused are in the dead letters before they are confirmed; the rest is delivered', async () => {
  const { clock, commit, answerNext, source, events, deadLetters } = setUp();
  await commit(3);
  await answerNext({ kind: 'delivered', refused: [{ index: 1, reason: 'mapper says "no"' }] });
  expect(events.counts).toMatchObject({ delivered: 2, refused: 1 });
  expect(source.confirmed).toEqual([4]);
  expect(JSON.parse(readFileSync(deadLetters.path, 'utf8'))).toEqual({
    time: new Date(clock.nowMs).toISOString(),
    sink: 'a',
    reason: 'mapper says "no"',
    record: { id: '2' },
  });
});

test('records to send again go alone, and the batch is confirmed when they are through', async () => {
  const { clock, commit, calls, answerNext, source, events } = setUp();
  await commit(5);
  await answerNext({ kind: 'delivered', again: [1, 3], reason: '429', afterMs: 2000 });
  expect(source.confirmed).toEqual([]);
  expect(clock.nextMs).toBe(2000);
  await clock.advance(2000);
  expect(calls()[0]!.ids).toEqual(['2', '4']);
  expect(Buffer.concat(calls()[0]!.batch.ndjson).toString()).toBe('{"id":"2"}\n{"id":"4"}\n');
  await answerNext();
  expect(source.confirmed).toEqual([6]);
  expect(events.counts.delivered).toBe(5);
});

test('a batch that is rejected as a whole is taken apart until the record at fault is found', async () => {
  const { commit, calls, events, source, deadLetters } = setUp();
  await commit(10);
  while (calls().length > 0) {
    const call = calls()[0]!;
    await call.answer(call.ids.includes('7') ? { kind: 'rejected', reason: 'HTTP 400' } : DELIVERED);
  }
  expect(events.counts).toMatchObject({ delivered: 9, refused: 1 });
  expect(events.counts.requests).toBeLessThan(10);
  expect(source.confirmed.at(-1)).toBe(11);
  expect(readFileSync(deadLetters.path, 'utf8')).toContain('"record":{"id":"7"}');
});

test('a destination that rejects everything is not asked about every record', async () => {
  const { commit, calls, events, source } = setUp({
    batch: { recordsMax: 100, bytesMax: 1 << 20, ageMaxMs: 0 },
  });
  await commit(1000);
  while (calls().length > 0) await calls()[0]!.answer({ kind: 'rejected', reason: 'HTTP 400' });
  expect(events.counts.refused).toBe(1000);
  expect(events.counts.requests).toBeLessThan(50);
  expect(source.confirmed.at(-1)).toBe(1001);
});

test('when dead letters cannot be written, nothing is confirmed', async () => {
  const { clock, commit, answerNext, source, events, deadLetters } = setUp();
  const write = deadLetters.write.bind(deadLetters);
  deadLetters.write = () => {
    throw new Error('no space left');
  };
  await commit(2);
  await answerNext({ kind: 'delivered', refused: [{ index: 0, reason: 'no' }] });
  expect(source.confirmed).toEqual([]);
  deadLetters.write = write;
  await clock.advance(1000);
  await answerNext({ kind: 'delivered', refused: [{ index: 0, reason: 'no' }] });
  expect(source.confirmed).toEqual([3]);
  expect(events.counts).toMatchObject({ delivered: 1, refused: 1 });
});

test('filtered records are counted and confirmed, also where none is left', async () => {
  const { clock, commit, calls, answerNext, source, events } = setUp({
    accept: (record) => Number(record.value().id) % 2 === 0,
  });
  await commit(5);
  expect(calls()[0]!.ids).toEqual(['2', '4']);
  expect(Buffer.concat(calls()[0]!.batch.ndjson).toString()).toBe('{"id":"2"}\n{"id":"4"}\n');
  await answerNext();
  await commit([{ id: '7' }, { id: '9' }]);
  await clock.advance(0);
  expect(source.confirmed).toEqual([6, 8]);
  expect(source.confirmedBytes).toBe(source.blocks.reduce((sum, { bytes }) => sum + bytes.length, 0));
  expect(events.counts).toMatchObject({ delivered: 2, filtered: 5, requests: 1 });
  expect(clock.timerCount).toBe(0);
});

test('stop flushes what waits for its age', async () => {
  const { delivery, commit, answerNext, source, sinks, clock } = setUp({
    batch: { recordsMax: 10, bytesMax: 1 << 20, ageMaxMs: 60_000 },
  });
  await commit(3);
  const stopped = delivery.stop(5000);
  await settle();
  await answerNext();
  await stopped;
  expect(source.confirmed).toEqual([4]);
  expect(sinks[0]!.isClosed).toBe(true);
  expect(clock.timerCount).toBe(0);
});

test('stop gives up at its deadline, and what was under way is not confirmed', async () => {
  const { delivery, commit, source, sinks, clock } = setUp();
  await commit(3);
  const stopped = delivery.stop(5000);
  await clock.advance(4999);
  expect(sinks[0]!.all[0]!.signal.aborted).toBe(false);
  await clock.advance(1);
  await stopped;
  expect(sinks[0]!.all[0]!.signal.aborted).toBe(true);
  expect(source.confirmed).toEqual([]);
  expect(clock.timerCount).toBe(0);
});

test('stop makes one last attempt at a destination that is down, at once', async () => {
  const { delivery, commit, answerNext, source, clock } = setUp();
  await commit(3);
  await answerNext(DOWN);
  const stopped = delivery.stop(60_000);
  await settle();
  await answerNext(DOWN);
  await stopped;
  expect(source.confirmed).toEqual([]);
  expect(clock.timerCount).toBe(0);
});

test('drain resolves when all that was committed is confirmed', async () => {
  const { delivery, commit, answerNext, source } = setUp();
  await delivery.drain();
  await commit(15);
  let isDrained = false;
  const drained = delivery.drain().then(() => {
    isDrained = true;
  });
  await answerNext();
  expect(isDrained).toBe(false);
  await answerNext();
  await drained;
  expect(source.confirmed).toEqual([11, 16]);
});

test('one sink that is dead does not change what another sees', async () => {
  const alone = setUp();
  const beside = setUp();
  const dead = setUp({ name: 'dead', concurrency: 4 });
  for (let n = 0; n < 20; n++) {
    await alone.commit(10);
    await beside.commit(10);
    await dead.commit(10);
    for (const call of [...dead.calls()]) await call.answer(DOWN);
    await Promise.all([alone, beside].map(({ answerNext }) => answerNext()));
    for (const { clock } of [alone, beside, dead]) await clock.advance(100);
  }
  expect(beside.source.confirmed).toEqual(alone.source.confirmed);
  expect(beside.events.counts).toEqual(alone.events.counts);
  expect(dead.source.confirmed).toEqual([]);
});

test('a sink that does not let go when told to does not hold up the stop', async () => {
  const { delivery, commit, sinks, clock } = setUp();
  await commit(3);
  sinks[0]!.isDeaf = true;
  const stopped = delivery.stop(5000);
  await clock.advance(5000 + ABORT_GRACE_MS);
  await stopped;
  expect(sinks[0]!.isClosed).toBe(true);
});

test('a destination that throttles or refuses now and then does not fill the log', async () => {
  const { clock, commit, answerNext, log, events } = setUp();
  for (let n = 0; n < 100; n++) {
    await commit(2);
    await answerNext({ kind: 'delivered', refused: [{ index: 0, reason: 'no' }], again: [1], reason: '429' });
    await clock.advance(1000);
    await answerNext();
  }
  expect(events.counts).toMatchObject({ delivered: 100, refused: 100 });
  expect(log.lines.map(({ level, details }) => [level, details.records ?? details.failures])).toEqual([
    ['warn', 1],
    ['warn', 1],
    ['info', 1],
    ['warn', 60],
    ['warn', 1],
    ['info', 1],
  ]);
});
