/**
 * A record's time in nanoseconds since the epoch, as decimal digits, which is how protocols take what no number can
 * hold. Digits beyond the ninth are cut off.
 * @param timestamp RFC 3339, as records have it
 * @returns undefined for what is not such a time, or is before 1970
 */
export function unixNanos(timestamp: unknown): string | undefined {
  const [, toSecond, fraction = '', zone] =
    (typeof timestamp === 'string' && RFC3339.exec(timestamp)) || NO_MATCH;
  const ms = Date.parse(`${toSecond}${zone}`);
  if (!(ms >= 0)) return undefined;
  return `${ms / 1000}${fraction.slice(0, 9).padEnd(9, '0')}`.replace(LEADING_ZEROS, '');
}

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;
const NO_MATCH: readonly string[] = [];
const LEADING_ZEROS = /^0+(?=\d)/;
