import { expect, test } from 'vitest';
import { unixNanos } from '../../sinks/record-time.ts';

test.each([
  ['2026-11-21T10:15:02Z', '1795256102000000000'],
  ['2026-11-21T10:15:02.104233Z', '1795256102104233000'],
  ['2026-11-21T10:15:02.000000001Z', '1795256102000000001'],
  ['2021-04-01T12:42:32.1898720941Z', '1617280952189872094'],
  ['2026-11-21T11:15:02.5+01:00', '1795256102500000000'],
  ['1970-01-01T00:00:00.000000007Z', '7'],
  ['1970-01-01T00:00:00Z', '0'],
  ['1969-12-31T23:59:59Z', undefined],
  ['2026-13-21T10:15:02Z', undefined],
  ['yesterday', undefined],
  [1_795_256_102, undefined],
  [undefined, undefined],
])('%s', (timestamp, nanos) => {
  expect(unixNanos(timestamp)).toBe(nanos);
});
