const GENERATION_LINES = 16_384;
const SLOTS = 2 * GENERATION_LINES;
const RECENT_LINES = 64;

/** What is kept of a memory across a restart. */
export interface SavedReplayMemory {
  /** Stamp, hash, stamp, hash, … of the last lines, oldest first. */
  readonly recent: readonly number[];
  /** The highest stamp of the lines before those, or -1. */
  readonly settledUs: number;
}

/**
 * Which kernel lines were read, by uptime stamp and a hash of the message.
 *
 * Knows at least the last 16,384 lines and at most twice as many, in two generations of hash tables (800 KB):
 * when one is full, the older is forgotten. `forgottenUs` is the highest stamp that it may have forgotten.
 * Only the last 64 lines are saved: of older ones, `forgottenUs` must do after a restart.
 */
export class ReplayMemory {
  forgottenUs = -1;
  #young = new Generation();
  #old = new Generation();
  readonly #recent = new Float64Array(2 * RECENT_LINES);
  #recentAdded = 0;
  #settledUs = -1;

  has(stampUs: number, hash: number): boolean {
    return this.#young.has(stampUs, hash) || this.#old.has(stampUs, hash);
  }

  add(stampUs: number, hash: number): void {
    if (this.#young.size === GENERATION_LINES) {
      const emptied = this.#old;
      if (emptied.highestUs > this.forgottenUs) this.forgottenUs = emptied.highestUs;
      emptied.clear();
      this.#old = this.#young;
      this.#young = emptied;
    }
    this.#young.add(stampUs, hash);

    const slot = 2 * (this.#recentAdded % RECENT_LINES);
    if (this.#recentAdded >= RECENT_LINES && this.#recent[slot]! > this.#settledUs) {
      this.#settledUs = this.#recent[slot]!;
    }
    this.#recent[slot] = stampUs;
    this.#recent[slot + 1] = hash;
    this.#recentAdded++;
  }

  save(): SavedReplayMemory {
    const recent: number[] = [];
    for (let i = Math.max(0, this.#recentAdded - RECENT_LINES); i < this.#recentAdded; i++) {
      const slot = 2 * (i % RECENT_LINES);
      recent.push(this.#recent[slot]!, this.#recent[slot + 1]!);
    }
    return { recent, settledUs: this.#settledUs };
  }

  restore(saved: SavedReplayMemory): void {
    this.forgottenUs = this.#settledUs = saved.settledUs;
    for (let i = 0; i + 1 < saved.recent.length; i += 2) this.add(saved.recent[i]!, saved.recent[i + 1]!);
  }
}

/** A set of (stamp, hash) pairs with linear probing, at most half full. */
class Generation {
  size = 0;
  highestUs = -1;
  /** One more than the stamp: 0 is an empty slot. */
  readonly #stamps = new Float64Array(SLOTS);
  readonly #hashes = new Int32Array(SLOTS);

  has(stampUs: number, hash: number): boolean {
    if (this.size === 0) return false;
    for (let slot = slotOf(stampUs, hash); this.#stamps[slot] !== 0; slot = (slot + 1) & (SLOTS - 1)) {
      if (this.#stamps[slot] === stampUs + 1 && this.#hashes[slot] === hash) return true;
    }
    return false;
  }

  add(stampUs: number, hash: number): void {
    let slot = slotOf(stampUs, hash);
    while (this.#stamps[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
    this.#stamps[slot] = stampUs + 1;
    this.#hashes[slot] = hash;
    this.size++;
    if (stampUs > this.highestUs) this.highestUs = stampUs;
  }

  clear(): void {
    this.#stamps.fill(0);
    this.size = 0;
    this.highestUs = -1;
  }
}

function slotOf(stampUs: number, hash: number): number {
  const mixed = Math.imul(hash ^ stampUs, 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) & (SLOTS - 1);
}
