import { ReplayMemory, type SavedReplayMemory } from './replay-memory.ts';

const SECOND_US = 1_000_000;
/** Processors may take their stamps in another order than the ring does; a boot does not begin so near. */
const DISORDER_US = 10 * SECOND_US;
/** A line that is written this long after its event was not written live. */
const LATE_US = 5 * SECOND_US;
/** A stall of the log daemon ends within this time; a clock that was set stays. */
const STALL_US = 10 * SECOND_US;

/** What is kept of a clock across a restart. */
export interface SavedKernelClock {
  readonly bootUs: number;
  readonly lowestUs: number;
  readonly highestUs: number;
  readonly lastWallUs: number;
  readonly memory: SavedReplayMemory;
}

/**
 * The kernel's uptime stamps of one host, against the wall-clock times that the log daemon wrote beside them.
 *
 * - Tells the time of an event to the microsecond where the daemon wrote seconds: the boot's time is set by
 *   its first line, so the distances between events are the kernel's, and a time is at most a second early.
 *   It is set anew only where line and stamp contradict each other: an event after the time at which it was
 *   written, or all lines of `STALL_US` a second or more late (the clock was set, or drifted).
 * - Tells a line that was already read, as a log daemon writes them again from the kernel's ring when it
 *   starts: one with a stamp that is not above all earlier ones, and with stamp and message in the memory; or
 *   one written late whose stamp lies between the first of this boot and the highest that is forgotten.
 * - A new boot is the first line after the time at which the kernel is known to have started. Where that is
 *   not known, it is a stamp far below the highest, not in the memory, whose boot would be after the last line.
 *   Every other line is new: also one with an old stamp that was never read, or with another's stamp.
 *
 * Lines without stamp have none of this: their replays cannot be told from new lines.
 */
export class KernelClock {
  #bootUs = Number.NaN;
  #lowestUs = -1;
  #highestUs = -1;
  #lastWallUs = Number.NEGATIVE_INFINITY;
  #lateSinceUs = Number.NaN;
  #leastLateUs = 0;
  /** When the running kernel started, until a line of it was read; then Infinity. */
  #awaitedBootUs: number;
  readonly #runningBootUs: number;
  readonly #memory = new ReplayMemory();

  /** @param runningBootUs when the running kernel started, if these are lines of this host and it is known */
  constructor(saved?: SavedKernelClock, runningBootUs = Number.POSITIVE_INFINITY) {
    this.#runningBootUs = runningBootUs;
    this.#awaitedBootUs = runningBootUs;
    if (saved === undefined) return;
    if (saved.lastWallUs >= runningBootUs) this.#awaitedBootUs = Number.POSITIVE_INFINITY;
    this.#bootUs = saved.bootUs;
    this.#lowestUs = saved.lowestUs;
    this.#highestUs = saved.highestUs;
    this.#lastWallUs = saved.lastWallUs;
    this.#memory.restore(saved.memory);
  }

  /**
   * Takes the next line.
   * @param stampUs the kernel's stamp
   * @param wallUs what the daemon wrote
   * @param resolutionUs how exact that is: 1,000,000 for seconds
   * @param hash of the kernel's message
   * @returns the event's time, or NaN for a line that was already read
   */
  read(stampUs: number, wallUs: number, resolutionUs: number, hash: number): number {
    if (wallUs >= this.#awaitedBootUs) {
      this.#awaitedBootUs = Number.POSITIVE_INFINITY;
      this.#startBoot(stampUs, wallUs);
    } else if (stampUs > this.#highestUs) {
      if (
        !(this.#bootUs + stampUs < wallUs + resolutionUs) &&
        !this.#follow(stampUs, wallUs, resolutionUs, hash)
      ) {
        return Number.NaN;
      }
      this.#highestUs = stampUs;
    } else {
      if (this.#wasRead(stampUs, wallUs, hash)) {
        this.#lastWallUs = Math.max(this.#lastWallUs, wallUs);
        return Number.NaN;
      }
      if (this.#mayBeNextBoot(stampUs, wallUs)) this.#startBoot(stampUs, wallUs);
    }
    if (wallUs > this.#lastWallUs) this.#lastWallUs = wallUs;
    this.#memory.add(stampUs, hash);
    const lateUs = wallUs - this.#bootUs - stampUs;
    if (lateUs >= SECOND_US) this.#catchUp(stampUs, wallUs, lateUs);
    else this.#lateSinceUs = Number.NaN;
    return this.#bootUs + stampUs;
  }

  save(): SavedKernelClock {
    return {
      bootUs: this.#bootUs,
      lowestUs: this.#lowestUs,
      highestUs: this.#highestUs,
      lastWallUs: this.#lastWallUs,
      memory: this.#memory.save(),
    };
  }

  /** The first line of all, or one from the future: the boot was earlier than thought. */
  #follow(stampUs: number, wallUs: number, resolutionUs: number, hash: number): boolean {
    if (Number.isNaN(this.#bootUs)) {
      this.#startBoot(stampUs, wallUs);
      return true;
    }
    if (this.#memory.has(stampUs, hash)) return false;
    this.#bootUs = wallUs + resolutionUs - 1 - stampUs;
    return true;
  }

  #wasRead(stampUs: number, wallUs: number, hash: number): boolean {
    if (this.#memory.has(stampUs, hash)) return true;
    if (this.#mayBeNextBoot(stampUs, wallUs)) return false;
    const late = wallUs - this.#bootUs - stampUs > LATE_US;
    return late && stampUs >= this.#lowestUs && stampUs <= this.#memory.forgottenUs;
  }

  #mayBeNextBoot(stampUs: number, wallUs: number): boolean {
    if (wallUs >= this.#runningBootUs) return false;
    return stampUs < this.#highestUs - DISORDER_US && wallUs - stampUs > this.#lastWallUs;
  }

  #startBoot(stampUs: number, wallUs: number): void {
    this.#bootUs = wallUs - stampUs;
    this.#lowestUs = this.#highestUs = stampUs;
    this.#memory.forgottenUs = -1;
    this.#lateSinceUs = Number.NaN;
  }

  /** A line that was written late: the daemon stalled, or the wall clock was set or runs faster. */
  #catchUp(stampUs: number, wallUs: number, lateUs: number): void {
    if (stampUs < this.#highestUs) return;
    if (Number.isNaN(this.#lateSinceUs)) {
      this.#lateSinceUs = wallUs;
      this.#leastLateUs = lateUs;
    }
    this.#leastLateUs = Math.min(this.#leastLateUs, lateUs);
    if (wallUs - this.#lateSinceUs < STALL_US) return;
    this.#bootUs += this.#leastLateUs;
    this.#lateSinceUs = Number.NaN;
  }
}
