/** A request counts as slow from this multiple of the usual duration on, and this many ms at least. */
const SLOW_FACTOR = 3;
const SLOW_MS_MIN = 50;
/** How fast the usual duration follows: quickly down, slowly up, so that a slow server is not soon usual. */
const FOLLOW_DOWN = 0.3;
const FOLLOW_UP = 0.02;

/**
 * How many requests may be under way: it halves when the destination fails or asks for a pause, shrinks by one
 * when answers become slow, and grows by one for each full round that went well, up to the configured number.
 */
export class Concurrency {
  readonly #max: number;
  #limit: number;
  #goodInRow = 0;
  #usualMs: number | undefined;

  constructor(max: number) {
    this.#max = max;
    this.#limit = max;
  }

  get limit(): number {
    return this.#limit;
  }

  succeeded(durationMs: number): void {
    const usualMs = this.#usualMs ?? durationMs;
    this.#usualMs = usualMs + (durationMs - usualMs) * (durationMs < usualMs ? FOLLOW_DOWN : FOLLOW_UP);
    this.#goodInRow++;
    if (this.#goodInRow < this.#limit) return;
    this.#goodInRow = 0;
    const isSlow = durationMs > Math.max(SLOW_MS_MIN, usualMs * SLOW_FACTOR);
    this.#limit = Math.max(1, Math.min(this.#max, this.#limit + (isSlow ? -1 : 1)));
  }

  failed(): void {
    this.#goodInRow = 0;
    this.#limit = Math.max(1, this.#limit >> 1);
  }
}
