import { expect, test } from 'vitest';
import { sendParts } from '../../sinks/parts.ts';
import type { Outcome } from '../../sinks/sink.ts';

const PARTS = [{ indices: [0, 3] }, { indices: [1, 4] }, { indices: [2] }];
const DELIVERED: Outcome = { kind: 'delivered' };
const refuse = (index: number): Outcome => ({ kind: 'delivered', refused: [{ index, reason: 'bad' }] });
const BUSY: Outcome = { kind: 'retry', cause: 'busy', reason: 'slow', afterMs: 5 };
const TOO_LARGE: Outcome = { kind: 'too_large', reason: 'large' };

test.each<[string, Outcome[], Outcome, number]>([
  ['all go', [DELIVERED, DELIVERED, DELIVERED], DELIVERED, 3],
  [
    'a record of a later part is refused',
    [DELIVERED, refuse(1), DELIVERED],
    {
      kind: 'delivered',
      refused: [{ index: 4, reason: 'bad' }],
    },
    3,
  ],
  ['the first fails', [BUSY], BUSY, 1],
  ['the first is too large', [TOO_LARGE], TOO_LARGE, 1],
  [
    'a later one fails',
    [refuse(0), BUSY],
    {
      kind: 'delivered',
      refused: [{ index: 0, reason: 'bad' }],
      again: [1, 2, 4],
      reason: 'slow',
      afterMs: 5,
    },
    2,
  ],
  [
    'the last is too large',
    [DELIVERED, DELIVERED, TOO_LARGE],
    {
      kind: 'delivered',
      again: [2],
      reason: 'large',
    },
    3,
  ],
])('%s', async (_name, answers, outcome, requests) => {
  const sent: (readonly number[])[] = [];
  const result = await sendParts(PARTS, async ({ indices }) => {
    sent.push(indices);
    return answers[sent.length - 1]!;
  });
  expect(result).toEqual(outcome);
  expect(sent).toEqual(PARTS.slice(0, requests).map(({ indices }) => indices));
});

test('without parts there is nothing to do', async () => {
  expect(await sendParts([], () => Promise.reject(new Error('not called')))).toEqual(DELIVERED);
});
