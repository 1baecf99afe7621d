/** A list that can be waited on: what arrives is kept, and whoever waits for it is told. */
export class Awaited<T> {
  readonly items: T[] = [];
  #waiting: (() => void)[] = [];

  push(item: T): void {
    this.items.push(item);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves as soon as `done` holds of all items; rejects after `timeoutMs`, saying what there is. */
  async until(what: string, done: (items: readonly T[]) => boolean, timeoutMs = 30_000): Promise<T[]> {
    const deadline = Date.now() + timeoutMs;
    while (!done(this.items)) {
      const left = deadline - Date.now();
      if (left <= 0) {
        const last = JSON.stringify(this.items.slice(-5), null, 1);
        throw new Error(`${what}: not within ${timeoutMs} ms; ${this.items.length} items, the last: ${last}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.items;
  }
}
