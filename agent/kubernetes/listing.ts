/** How late a watch may tell what happened: much later than it does on a machine that is not overloaded. */
export const WATCH_LAG_US = 5_000_000;

/**
 * How far a watch vouches for what it told before. While it runs, what it told is true until it tells otherwise, but
 * for its lag. What only a new list shows may have happened any time since the old watch was last heard of.
 */
export class Listing {
  /** Of the list that is under way, or was last. */
  number = 0;
  #isUnderWay = false;
  #contactUs = Number.NEGATIVE_INFINITY;

  begin(): void {
    this.number += 1;
    this.#isUnderWay = true;
  }

  end(): void {
    this.#isUnderWay = false;
  }

  contact(nowUs: number): void {
    this.#contactUs = nowUs;
  }

  /** Until when, at least, what was told before held, if something else is told now. */
  lastUs(nowUs: number): number {
    return (this.#isUnderWay ? Math.min(this.#contactUs, nowUs) : nowUs) - WATCH_LAG_US;
  }
}
