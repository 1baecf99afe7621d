/** Reading goes on when no more than this share of the size is taken. */
const RESUME_SHARE = 0.9;

/**
 * When what waits in the outbox is too much, with `when_full: block`, and who waits until it is less. Its bytes
 * are an argument.
 */
export class Fullness {
  readonly #sizeMaxBytes: number;
  #isReached = false;
  #waiting:
    | { readonly bytes: number; readonly below: Promise<void>; readonly resolve: () => void }
    | undefined;

  /** @param sizeMaxBytes infinite where nothing is to stop reading */
  constructor(sizeMaxBytes: number) {
    this.#sizeMaxBytes = sizeMaxBytes;
  }

  /** Whether it was too much when `isReached` was last asked. */
  get wasReached(): boolean {
    return this.#isReached;
  }

  /** Whether it is too much; stays so until a tenth is free again, so that reading does not stutter. */
  isReached(bytes: number): boolean {
    const max = this.#sizeMaxBytes;
    this.#isReached = bytes >= max || (this.#isReached && bytes > max * RESUME_SHARE);
    return this.#isReached;
  }

  /** Resolves when `lessened` hears of fewer than `below`, which is the same in every call; undefined where it is so now. */
  untilBelow(below: number, bytes: number): Promise<void> | undefined {
    if (bytes < below) return undefined;
    if (this.#waiting === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = { bytes: below, below: promise, resolve };
    }
    return this.#waiting.below;
  }

  /** To be called when it may be less. */
  lessened(bytes: number): void {
    if (this.#waiting === undefined || bytes >= this.#waiting.bytes) return;
    this.#waiting.resolve();
    this.#waiting = undefined;
  }
}
