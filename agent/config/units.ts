import * as z from 'zod/mini';

const DURATION_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, KB: 1e3, MB: 1e6, GB: 1e9 } as const;

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const SIZE = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|KB|MB|GB)$/;

const DURATION_WANTED = 'a duration with a unit: 250ms, 5s, 10m, 1h, 7d';
const SIZE_WANTED = 'a size with a unit: 64KiB, 512MiB, 10MB';

// Beyond 24.8 days a timer of Node fires at once.
const DURATION_MAX = '24d';
const SIZE_MAX = '1024GiB';

/**
 * A duration with its unit, as `5s`, `250ms`, `10m`; gives milliseconds.
 * @param min smallest that makes sense, written the same way
 */
export function duration(min = '0ms', max = DURATION_MAX) {
  return amount('duration', DURATION, DURATION_MS, DURATION_WANTED, min, max);
}

/** A size with its unit, as `64KiB`, `512MiB`; gives bytes. */
export function size(min = '0B', max = SIZE_MAX) {
  return amount('size', SIZE, SIZE_BYTES, SIZE_WANTED, min, max);
}

/** A whole number from `min` on. */
export function count(min = 1, max = Number.MAX_SAFE_INTEGER) {
  const wanted =
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number from ${min} on`
      : `a whole number from ${min} to ${max}`;
  return z.int(wanted).check(z.gte(min, wanted), z.lte(max, wanted));
}

type Units = Readonly<Record<string, number>>;

// A codec, so that the effective configuration can be written with units again.
function amount(kind: string, pattern: RegExp, units: Units, wanted: string, min: string, max: string) {
  const parse = (text: string): number => {
    const [, number, unit] = pattern.exec(text)!;
    return Math.round(Number(number) * units[unit!]!);
  };
  const range = `${kind} from ${min} to ${max}`;
  const isBounded = parse(min) > 0 || (max !== DURATION_MAX && max !== SIZE_MAX);
  return z.codec(
    z.string(wanted).check(z.regex(pattern, wanted), z.meta({ title: isBounded ? range : kind })),
    z.int().check(z.gte(parse(min), `a ${range}`), z.lte(parse(max), `a ${range}`)),
    { decode: parse, encode: (value) => printAmount(value, units) },
  );
}

/** The shortest exact way to write `value`; ties go to the unit that comes first. */
function printAmount(value: number, units: Units): string {
  let best = '';
  for (const [unit, factor] of Object.entries(units)) {
    if (value % factor !== 0) continue;
    const text = `${value / factor}${unit}`;
    if (best === '' || text.length - unit.length < best.length - unitLength(best)) best = text;
  }
  return best;
}

function unitLength(text: string): number {
  return text.length - text.search(/[A-Za-z]/);
}
