import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Envelope } from '../../parsers/envelope.ts';

/** An envelope that was read must not depend on the lines before it, whose bytes are remembered. */

const RUNS = Number(process.env.PROPERTY_RUNS ?? 2000);
const NOW_US = Date.UTC(2026, 10, 22) * 1000;

const parts = fc.tuple(
  fc.constantFrom('', '', '', '<5>', '<5>1 '),
  fc.constantFrom(
    '2026-11-21T10:59:46',
    '2026-11-21T10:59:47',
    '2026-11-21 10:59:46',
    '1970-01-01T00:00:00',
    '5,1,2,-',
  ),
  fc.constantFrom('.000001', '.000002', ',000002', '', '.', '.5', '.12345x', '.1234567', '.123456789'),
  fc.constantFrom('+00:00', '+02:00', 'Z', '+0200', '', ';'),
  fc.constantFrom(' node-1 ', ' node-2 ', '  node-1 ', ' ', ` ${'n'.repeat(130)} `, ' node-1 kern.notice '),
  fc.constantFrom('kernel: ', 'kernel:', 'kernel:  ', 'kernel ', 'app[1]: ', ''),
  fc.constantFrom('', '[   12.345678] ', '[12.345678][   T10] ', '[x] '),
  fc.constantFrom(
    'calico-packet: IN=',
    ' IN=',
    'message repeated 3 times: [ IN=]',
    'last message repeated 2 times',
    '',
  ),
);
/** Lines that differ from the first in one part each. */
const lines = fc
  .tuple(parts, fc.array(fc.tuple(parts, fc.nat(7)), { minLength: 1, maxLength: 8 }))
  .map(([first, others]) =>
    [first, ...others.map(([other, k]) => first.with(k, other[k]!))].map((one) => Buffer.from(one.join(''))),
  );

function reading(envelope: Envelope, bytes: Buffer): unknown {
  // Behind the line stands what stands there in a file: other bytes.
  const all = Buffer.concat([
    Buffer.from('before\n'),
    bytes,
    Buffer.from('\n2026-11-21T10:59:46.000001+00:00'),
  ]);
  envelope.read(all, 7, 7 + bytes.length, NOW_US);
  const { timeUs, digits, finer, stampUs, bodyStart, bodyEnd, hostlessStart, repeat, repeatLast } = envelope;
  const host = all.toString('latin1', envelope.hostStart, envelope.hostEnd);
  return { timeUs, digits, finer, stampUs, bodyStart, bodyEnd, hostlessStart, host, repeat, repeatLast };
}

test('a line reads the same whatever was read before', () => {
  fc.assert(
    fc.property(lines, ([first, ...others]) => {
      const envelope = new Envelope('UTC');
      for (const bytes of others.flatMap((other) => [first!, first!, other])) {
        expect(reading(envelope, bytes), bytes.toString()).toEqual(reading(new Envelope('UTC'), bytes));
      }
    }),
    { numRuns: RUNS },
  );
});

test('only what follows the point differs: the time is that of the line', () => {
  const envelope = new Envelope('UTC');
  for (const us of [1, 0, 999_999, 123_456]) {
    const bytes = Buffer.from(`2026-11-21T10:59:46.${String(us).padStart(6, '0')}+02:00 node-1 kernel: IN=`);
    envelope.read(bytes, 0, bytes.length, NOW_US);
    expect(envelope.timeUs).toBe(Date.UTC(2026, 10, 21, 8, 59, 46) * 1000 + us);
  }
});
