import { existsSync, readFileSync, renameSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ABORT_GRACE_MS } from '../../../agent/delivery/delivery.ts';
import { resendDeadLetters } from '../../../agent/delivery/resend.ts';
import { DELIVERED, DOWN, ManualClock, type ScriptedSink, settle, setUp } from './helpers.ts';

const OPTIONS = {
  name: 'a',
  batch: { recordsMax: 2, bytesMax: 1 << 20, ageMaxMs: 0 },
  concurrency: 1,
  backoffMinMs: 1000,
  backoffMaxMs: 1000,
  accept: () => false,
};

/** A sink with three dead letters, renamed to be sent again. */
async function withLetters() {
  const parts = setUp();
  const records = [
    { id: '1', text: 'plain' },
    { id: '2', text: '","record":{"id":"false"}' },
    { id: '3', text: 'ü\n' },
  ];
  await parts.commit(records);
  const reason = 'says "no","record":{} \n and more';
  await parts.answerNext({ kind: 'delivered', refused: [0, 1, 2].map((index) => ({ index, reason })) });
  renameSync(parts.deadLetters.path, parts.deadLetters.resendPath);
  const resent: unknown[] = [];
  const clock = new ManualClock();
  const stop = new AbortController();
  const done = resendDeadLetters(OPTIONS, parts.resendParts, stop.signal, clock);
  await settle();
  const answer = async (sink: ScriptedSink, outcome = DELIVERED) => {
    const call = sink.calls[0]!;
    if (outcome === DELIVERED) resent.push(...call.batch.records.map((record) => record.value()));
    await call.answer(outcome);
  };
  return { ...parts, records, resent, clock, stop, done, answer };
}

test('letters are sent again as they were, unfiltered, and then the file goes', async () => {
  const { sinks, answer, done, resent, records, deadLetters } = await withLetters();
  await answer(sinks[1]!);
  expect(existsSync(deadLetters.resendPath)).toBe(true);
  await answer(sinks[1]!);
  expect(await done).toBe(3);
  expect(resent).toEqual(records);
  expect(existsSync(deadLetters.resendPath)).toBe(false);
  expect(sinks[1]!.isClosed).toBe(true);
});

test('a letter that is refused again is a dead letter again', async () => {
  const { sinks, answer, done, deadLetters } = await withLetters();
  await answer(sinks[1]!, { kind: 'delivered', refused: [{ index: 1, reason: 'still no' }] });
  await answer(sinks[1]!);
  await done;
  expect(readFileSync(deadLetters.path, 'utf8')).toMatch(
    /^[^\n]+"reason":"still no","record":\{"id":"2"[^\n]+\n$/,
  );
});

test('an agent that stops before keeps the file', async () => {
  const { sinks, answer, done, stop, clock, deadLetters } = await withLetters();
  await answer(sinks[1]!, DOWN);
  stop.abort();
  await clock.advance(ABORT_GRACE_MS);
  await done;
  expect(existsSync(deadLetters.resendPath)).toBe(true);
});

test('without letters there is nothing to do', async () => {
  const { resendParts } = setUp();
  expect(await resendDeadLetters(OPTIONS, resendParts, new AbortController().signal)).toBe(0);
});
