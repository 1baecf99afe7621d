import { type Instant, readRfc3339 } from './time.ts';

/**
 * The time of a log object: of the first well-known member that is an RFC 3339 text or a Unix time. A Unix time
 * is in seconds, milliseconds, microseconds or nanoseconds; its number of digits says which, as it does for all
 * times from 1973 to 2199.
 */
export function logTime(body: Readonly<Record<string, unknown>>): Instant | undefined {
  for (const name of NAMES) {
    if (!Object.hasOwn(body, name)) continue;
    const instant = instantOf(body[name]);
    if (instant !== undefined) return instant;
  }
  return undefined;
}

const NAMES = ['timestamp', '@timestamp', 'time', 'ts', 'stageTimestamp', 'requestReceivedTimestamp'];

function instantOf(value: unknown): Instant | undefined {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    const instant: Instant = { timeUs: 0, digits: 0, finer: '', end: 0 };
    return readRfc3339(bytes, 0, bytes.length, instant) && instant.end === bytes.length ? instant : undefined;
  }
  // A number that JavaScript would print otherwise is a raw JSON value.
  const text = typeof value === 'number' ? String(value) : (value as { rawJSON?: unknown } | null)?.rawJSON;
  const [, whole, point = ''] = /^(\d{9,20})(?:\.(\d{1,9}))?$/.exec(String(text)) ?? [];
  if (whole === undefined) return undefined;
  const unitDigits = [0, 3, 6, 9].find((digits) => whole.length - digits <= 11)!;
  const seconds = whole.slice(0, whole.length - unitDigits);
  const fraction = whole.slice(seconds.length) + point;
  return {
    timeUs: Number(seconds) * 1e6 + Number(fraction.slice(0, 6).padEnd(6, '0')),
    digits: fraction.length,
    finer: fraction.slice(6),
    end: 0,
  };
}
