import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRfc3339, type Instant, readRfc3339 } from '../../parsers/time.ts';

function read(text: string): (Instant & { text: string }) | undefined {
  const into: Instant = { timeUs: 0, digits: 0, finer: '', end: 0 };
  if (!readRfc3339(Buffer.from(text), 0, text.length, into)) return undefined;
  return { ...into, text: formatRfc3339(into.timeUs, into.digits, into.finer) };
}

describe('RFC 3339', () => {
  it.each([
    ['2020-05-21T21:20:31Z', '2020-05-21T21:20:31Z'],
    ['2020-05-21T21:20:31.123456789Z', '2020-05-21T21:20:31.123456789Z'],
    ['2020-05-21T21:20:31.50+02:00', '2020-05-21T19:20:31.50Z'],
    ['2026-01-01T00:10:00.000001-08:00', '2026-01-01T08:10:00.000001Z'],
    ['2024-02-29 23:59:60,5+0530', '2024-02-29T18:30:00.5Z'],
    ['1970-01-01t00:00:00z', '1970-01-01T00:00:00Z'],
  ])('%s is %s', (text, utc) => {
    expect(read(text)?.text).toBe(utc);
  });

  it.each([
    ...['', '2020-05-21', '2020-05-21T21:20:31', '2020-05-21T21:20:31.Z', '2020-13-21T21:20:31Z'],
    ...['2023-02-29T00:00:00Z', '2020-05-21T24:00:00Z', '2020-05-21T21:60:31Z', '2020-05-21T21:20:61Z'],
    ...['1969-12-31T23:59:59Z', '2200-01-01T00:00:00Z', '1970-01-01T00:00:00+01:00', '2020-05-21X21:20:31Z'],
    ...['2020-05-21T21:20:31+0', '2020-05-21T21:20:31+24:00', '2020-05-21T21:20:31.1234567890123456789Z'],
  ])('refuses %j', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it('gives every time back as the platform writes it', () => {
    const time = fc.date({
      min: new Date(0),
      max: new Date('2199-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(time, (date) => {
        expect(read(date.toISOString())).toMatchObject({
          timeUs: date.getTime() * 1000,
          text: date.toISOString(),
        });
      }),
    );
  });
});
