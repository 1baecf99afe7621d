/** A clock that goes back this far was set back; anything less is jitter. */
const STEP_US = 5_000_000;
/** One token, in the unit in which the bucket counts: so that refilling stays in whole numbers. */
const TOKEN = 1_000_000;

/** A bucket's state, as JSON. */
export type SavedBucket = [level: number, latestUs: number | null];

export interface BucketOptions {
  /** Tokens that come with each second; a whole number. 0: no limit. */
  readonly perSecond: number;
  /** Tokens that the bucket holds. */
  readonly burst: number;
}

/**
 * A token bucket on event time.
 *
 * - It starts full. Tokens come only when time goes on beyond the latest time seen: equal times and times
 *   before it bring none, so a clock that jitters cannot make tokens.
 * - A time `STEP_US` or more before the latest is a clock that was set back: time goes on from there, and no
 *   token comes or goes. So after a wrong stamp from the future nothing starves for longer than `STEP_US`.
 * - A step forward fills the bucket, at most. An input whose clock is far from another's makes the limit
 *   generous, never stricter.
 * - It counts in millionths of a token, whole numbers: the same events give the same answers everywhere.
 */
export class Bucket {
  readonly #options: BucketOptions;
  #level: number;
  #latestUs: number | undefined;

  constructor(options: BucketOptions) {
    this.#options = options;
    this.#level = options.burst * TOKEN;
  }

  /** Whether a token is there at this time; nothing is taken. */
  has(timeUs: number): boolean {
    this.#advance(timeUs);
    return this.#level >= TOKEN;
  }

  /** Whether it could be forgotten: a new one would be the same. */
  isFull(timeUs: number): boolean {
    this.#advance(timeUs);
    return this.#level >= this.#options.burst * TOKEN;
  }

  take(): void {
    this.#level -= TOKEN;
  }

  save(): SavedBucket {
    return [this.#level, this.#latestUs ?? null];
  }

  restore([level, latestUs]: SavedBucket): void {
    this.#level = Math.min(level, this.#options.burst * TOKEN);
    this.#latestUs = latestUs ?? undefined;
  }

  #advance(timeUs: number): void {
    const latestUs = this.#latestUs ?? timeUs;
    const elapsedUs = timeUs - latestUs;
    if (elapsedUs > 0) {
      const full = this.#options.burst * TOKEN;
      this.#level = Math.min(full, this.#level + elapsedUs * this.#options.perSecond);
    }
    if (elapsedUs > 0 || elapsedUs <= -STEP_US || this.#latestUs === undefined) this.#latestUs = timeUs;
  }
}
