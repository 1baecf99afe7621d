import type { LimitConfig } from '../config/schema.ts';
import { Bucket, type SavedBucket } from './bucket.ts';

/** The limiter's state, as JSON. */
export interface SavedLimit {
  readonly all: SavedBucket;
  readonly sources: readonly (readonly [source: string, bucket: SavedBucket])[];
}

/**
 * How many new records a node may make: one bucket that all inputs share and, where `share_max` is below 1, a
 * smaller one for each source address, so that one that floods leaves room for the rest.
 *
 * - A record takes a token of both buckets, or none of either.
 * - Sources are remembered only while their bucket is not full. A source's bucket refills in `burst /
 *   connections_per_second` seconds, as the shared one does, and in that time there are at most `2 × burst`
 *   tokens to take: so no more sources than that need to be remembered, however many there are.
 */
export class Limit {
  readonly #config: LimitConfig;
  readonly #all: Bucket;
  #sources = new Map<string, Bucket>();

  constructor(config: LimitConfig) {
    this.#config = config;
    this.#all = new Bucket({ perSecond: config.connections_per_second, burst: config.burst });
  }

  /**
   * Takes a token, if there is one.
   * @param source the address that the connection comes from, where it is known
   */
  take(timeUs: number, source: string | undefined): boolean {
    const { connections_per_second, share_max } = this.#config;
    if (connections_per_second === 0) return true;
    const own = share_max < 1 && source !== undefined ? this.#bucketOf(source, timeUs) : undefined;
    if (own !== undefined && !own.has(timeUs)) return false;
    if (!this.#all.has(timeUs)) return false;
    this.#all.take();
    own?.take();
    return true;
  }

  save(): SavedLimit {
    return {
      all: this.#all.save(),
      sources: [...this.#sources].map(([source, own]) => [source, own.save()]),
    };
  }

  restore(saved: SavedLimit): void {
    this.#all.restore(saved.all);
    this.#sources = new Map();
    for (const [source, bucket] of saved.sources) {
      const own = this.#newBucket();
      own.restore(bucket);
      this.#sources.set(source, own);
    }
  }

  #bucketOf(source: string, timeUs: number): Bucket {
    let own = this.#sources.get(source);
    if (own === undefined) {
      if (this.#sources.size >= this.#config.burst * 4) this.#forgetFull(timeUs);
      own = this.#newBucket();
      this.#sources.set(source, own);
    }
    return own;
  }

  #newBucket(): Bucket {
    const { connections_per_second, burst, share_max } = this.#config;
    return new Bucket({
      perSecond: Math.max(1, Math.floor(connections_per_second * share_max)),
      burst: Math.max(1, Math.floor(burst * share_max)),
    });
  }

  #forgetFull(timeUs: number): void {
    for (const [source, own] of this.#sources) if (own.isFull(timeUs)) this.#sources.delete(source);
  }
}
