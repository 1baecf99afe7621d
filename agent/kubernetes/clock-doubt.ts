/** A wall clock that is off by less since the last look is taken as slewed. */
const STEP_US_MIN = 100_000;
/** Lines of a doubtful time are not expected any more after so long. */
const KEEP_US = 86_400_000_000;
/** What is known of a time was heard up to so much later. */
const HEARD_US = 6_000_000;
const RANGES_MAX = 8;

/** Times that the wall clock may have shown twice, or skipped. */
interface Range {
  readonly fromUs: number;
  readonly toUs: number;
  /** On the monotonic clock: no line of that time is expected any more. */
  readonly forgetUs: number;
}

/**
 * What this node's clock has done to times. Where it was set back, a stretch of time happened twice, and a stamp in it
 * does not say which of the two is meant; where it was set forward, what was heard right after did not happen right
 * before by the clock. `spread` widens a stamp in such a stretch to the whole stretch, so that only what held
 * throughout is taken as true of it.
 *
 * What happened before the first `observe` is not known. At the bound of stretches two become one.
 */
export class ClockDoubt {
  #ranges: Range[] = [];
  #wallUs = Number.NaN;
  #monotonicUs = 0;
  /** The latest time that the clock has shown. */
  #latestUs = Number.NEGATIVE_INFINITY;

  /** To be called often: the oftener it is called, the shorter the stretch. */
  observe(wallUs: number, monotonicUs: number): void {
    const expectedUs = this.#wallUs + (monotonicUs - this.#monotonicUs);
    const backUs = expectedUs - wallUs;
    const forgetUs = monotonicUs + KEEP_US;
    if (backUs > STEP_US_MIN) {
      this.#add({ fromUs: this.#wallUs - backUs, toUs: Math.max(expectedUs, this.#latestUs), forgetUs });
    } else if (backUs < -STEP_US_MIN) {
      this.#add({ fromUs: this.#wallUs - HEARD_US, toUs: wallUs + HEARD_US, forgetUs });
    }
    this.#wallUs = wallUs;
    this.#monotonicUs = monotonicUs;
    this.#latestUs = Math.max(this.#latestUs, wallUs);
    if (this.isAny) this.#ranges = this.#ranges.filter((range) => range.forgetUs > monotonicUs);
  }

  /** Whether any time is in doubt. */
  get isAny(): boolean {
    return this.#ranges.length > 0;
  }

  /** The times that a stamp may stand for. */
  spread(timeUs: number): { readonly lowUs: number; readonly highUs: number } {
    const range = this.#ranges.find(({ fromUs, toUs }) => timeUs >= fromUs && timeUs <= toUs);
    return { lowUs: range?.fromUs ?? timeUs, highUs: range?.toUs ?? timeUs };
  }

  /** Adds a stretch; those that it touches become one with it. */
  #add(range: Range): void {
    const touches = (other: Range) => other.fromUs <= range.toUs && other.toUs >= range.fromUs;
    const touched = this.#ranges.filter(touches);
    this.#ranges = this.#ranges.filter((other) => !touches(other));
    if (touched.length === 0 && this.#ranges.length >= RANGES_MAX) touched.push(this.#ranges.shift()!);
    this.#ranges.push({
      fromUs: Math.min(range.fromUs, ...touched.map(({ fromUs }) => fromUs)),
      toUs: Math.max(range.toUs, ...touched.map(({ toUs }) => toUs)),
      forgetUs: range.forgetUs,
    });
  }
}
