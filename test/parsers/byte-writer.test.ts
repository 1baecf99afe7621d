import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '../../parsers/byte-writer.ts';
import { formatRfc3339 } from '../../parsers/time.ts';

const END_US = Date.UTC(2200) * 1000;

/** Times as they come: now and then from elsewhere, else close to the last, also across the turn of a minute. */
const times = fc
  .array(fc.tuple(fc.option(fc.nat(END_US), { freq: 10 }), fc.integer({ min: -9e7, max: 9e7 }), fc.nat(6)))
  .map((steps) => {
    let timeUs = 0;
    return steps.map(([anew, onUs, digits]) => {
      timeUs = Math.max(0, Math.min(END_US - 1, anew ?? timeUs + onUs));
      return { timeUs, digits };
    });
  });

test('a time is written as it is formatted', () => {
  const writer = new ByteWriter();
  const out = Buffer.alloc(100);
  fc.assert(
    fc.property(times, (all) => {
      for (const { timeUs, digits } of all) {
        for (const each of [digits, 6]) {
          writer.open(out, 1);
          writer.time(timeUs, each);
          expect(out.toString('latin1', 1, writer.at)).toBe(formatRfc3339(timeUs, each));
        }
      }
    }),
  );
});
