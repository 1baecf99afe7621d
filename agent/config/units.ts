import * as z from 'zod/mini';

const DURATION_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, KB: 1e3, MB: 1e6, GB: 1e9 } as const;

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const SIZE = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|KB|MB|GB)$/;

/** A duration with its unit, as `5s`, `250ms`, `10m`; gives milliseconds. */
export function duration() {
  return z.pipe(
    z.string().check(z.regex(DURATION, 'a duration with a unit: 250ms, 5s, 10m, 1h, 7d')),
    z.transform((text: string) => {
      const [, amount, unit] = DURATION.exec(text)!;
      return Math.round(Number(amount) * DURATION_MS[unit as keyof typeof DURATION_MS]);
    }),
  );
}

/** A size with its unit, as `64KiB`, `512MiB`; gives bytes. */
export function size() {
  return z.pipe(
    z.string().check(z.regex(SIZE, 'a size with a unit: 64KiB, 512MiB, 10MB')),
    z.transform((text: string) => {
      const [, amount, unit] = SIZE.exec(text)!;
      return Math.round(Number(amount) * SIZE_BYTES[unit as keyof typeof SIZE_BYTES]);
    }),
  );
}

/** A whole number from `min` on. */
export function count(min = 1, max = Number.MAX_SAFE_INTEGER) {
  return z.int().check(z.gte(min), z.lte(max));
}
