/** Both lines of one packet are about 10 µs apart. */
const GAP_US = 1000;
const REMEMBERED = 8;

/**
 * Tells the second line of a packet that was logged twice on its way through one node. Remembers the last
 * eight packets; a packet that found its second line is forgotten, so a third is a first again.
 */
export class PacketPair {
  readonly #hashes = new Int32Array(REMEMBERED);
  readonly #timesUs = new Float64Array(REMEMBERED).fill(Number.NaN);
  #next = 0;

  /** Whether the packet is one of the last; if so, it is forgotten. */
  isSecond(hash: number, timeUs: number): boolean {
    for (let i = 0; i < REMEMBERED; i++) {
      if (this.#hashes[i] !== hash || !(Math.abs(this.#timesUs[i]! - timeUs) <= GAP_US)) continue;
      this.#timesUs[i] = Number.NaN;
      return true;
    }
    return false;
  }

  remember(hash: number, timeUs: number): void {
    this.#hashes[this.#next] = hash;
    this.#timesUs[this.#next] = timeUs;
    this.#next = (this.#next + 1) % REMEMBERED;
  }
}
