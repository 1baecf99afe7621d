import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogModel, type Operation } from '../../helpers/file-model.ts';

const RUNS = Number(process.env.FC_RUNS ?? 1_000);
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

const always = <T extends Operation>(operation: T) => fc.constant<Operation>(operation);
const operation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      lines: fc.integer({ min: 1, max: 5 }),
      width: fc.constantFrom(0, 10, 300, 2000),
    }),
  },
  { weight: 2, arbitrary: always({ do: 'partial' }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('rename' as const), late: fc.boolean(), create: fc.boolean() }),
  },
  { weight: 1, arbitrary: always({ do: 'rename twice' }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('copytruncate' as const), pollBetween: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('compress' as const),
      with: fc.constantFrom('gz' as const, 'zst' as const),
    }),
  },
  { weight: 1, arbitrary: always({ do: 'delete oldest' }) },
  { weight: 1, arbitrary: always({ do: 'delete while open' }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('away and back' as const), pollAway: fc.boolean() }) },
  { weight: 6, arbitrary: always({ do: 'poll' }) },
  { weight: 2, arbitrary: always({ do: 'poll a little' }) },
  { weight: 1, arbitrary: always({ do: 'wait' }) },
  { weight: 3, arbitrary: always({ do: 'commit' }) },
  { weight: 2, arbitrary: always({ do: 'restart' }) },
  { weight: 2, arbitrary: always({ do: 'crash' }) },
);

test(`every line once, whatever happens to the files (seed ${seed})`, () => {
  console.log(`follow: ${RUNS} runs, seed ${seed}`);
  fc.assert(
    fc.property(
      fc.constantFrom('end' as const, 'beginning' as const),
      fc.constantFrom('none' as const, 'short' as const, 'long' as const),
      fc.array(operation, { minLength: 1, maxLength: 40, size: 'max' }),
      (start, head, operations) => {
        using model = new LogModel(start, head);
        for (const one of operations) model.run(one);
        expect(model.check()).toEqual([]);
      },
    ),
    { numRuns: RUNS, seed },
  );
});
