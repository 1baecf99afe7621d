/** Longest pause that a destination can ask for. */
export const AFTER_MS_MAX = 300_000;
/** Shortest ceiling of the pause after a refused credential. */
export const UNAUTHORIZED_MS_MIN = 30_000;

export interface BackoffLimits {
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
}

/**
 * The pause before the next attempt: full jitter below a ceiling that doubles with every failure; never earlier
 * than the destination asked.
 * @param failures in a row, at least 1
 * @param random in [0, 1)
 */
export function backoffMs(limits: BackoffLimits, failures: number, random: number, afterMs = 0): number {
  const ceiling = Math.min(limits.backoffMaxMs, limits.backoffMinMs * 2 ** Math.min(failures - 1, 30));
  return Math.max(Math.min(afterMs, AFTER_MS_MAX), Math.round(ceiling * random));
}

/** The pause after a refused credential: long, for a wrong one does not become right by asking. */
export function unauthorizedBackoffMs(limits: BackoffLimits, random: number): number {
  return Math.round(Math.max(limits.backoffMaxMs, UNAUTHORIZED_MS_MIN) * (0.5 + random / 2));
}
