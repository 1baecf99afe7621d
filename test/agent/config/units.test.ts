import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { nearest } from '../../../agent/config/nearest.ts';
import { duration, size } from '../../../agent/config/units.ts';

describe('a duration', () => {
  test.each([
    ['250ms', 250, '250ms'],
    ['5s', 5_000, '5s'],
    ['1.5s', 1_500, '1500ms'],
    ['60s', 60_000, '1m'],
    ['90s', 90_000, '90s'],
    ['2h', 7_200_000, '2h'],
    ['1d', 86_400_000, '1d'],
    ['36h', 129_600_000, '36h'],
    ['0ms', 0, '0ms'],
  ])('%s is %d ms, written %s', (text, ms, written) => {
    expect(z.decode(duration(), text)).toBe(ms);
    expect(z.encode(duration(), ms)).toBe(written);
    expect(z.decode(duration(), written)).toBe(ms);
  });

  test.each(['5', '', 's', '-1s', '5 s', '5S', '1e3s', '5sec', '1h30m', '.5s', '25d'])(
    '%j is none',
    (text) => {
      expect(z.safeDecode(duration(), text).success).toBe(false);
    },
  );

  test('has bounds', () => {
    const bounded = duration('1s', '10s');
    expect(['999ms', '1s', '10s', '11s'].map((text) => z.safeDecode(bounded, text).success)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('a size', () => {
  test.each([
    ['64KiB', 65_536, '64KiB'],
    ['512MiB', 536_870_912, '512MiB'],
    ['1024MiB', 1_073_741_824, '1GiB'],
    ['10MB', 10_000_000, '10MB'],
    ['1000B', 1_000, '1KB'],
    ['999B', 999, '999B'],
    ['0.5GiB', 536_870_912, '512MiB'],
  ])('%s is %d bytes, written %s', (text, bytes, written) => {
    expect(z.decode(size(), text)).toBe(bytes);
    expect(z.encode(size(), bytes)).toBe(written);
    expect(z.decode(size(), written)).toBe(bytes);
  });

  test.each(['64', '64K', '64Ki', '64kb', '1TiB', '-1B', '1025GiB'])('%j is none', (text) => {
    expect(z.safeDecode(size(), text).success).toBe(false);
  });
});

describe('the nearest known word', () => {
  test.each([
    ['recordsmax', 'records_max'],
    ['records-max', 'records_max'],
    ['recrods_max', 'records_max'],
    ['bytes_mx', 'bytes_max'],
    ['URL', 'url'],
    ['password', undefined],
    ['x', undefined],
  ])('of %s is %s', (word, meant) => {
    expect(nearest(word, ['records_max', 'bytes_max', 'age_max', 'url'])).toBe(meant);
  });
});
