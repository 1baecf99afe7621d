/**
 * One object for equal ones, so that 100,000 pods do not hold 100,000 copies of their namespaces' names. Forgets all at
 * its bound: then a few copies more are made, and nothing else changes.
 */
export class Intern<T> {
  readonly #max: number;
  readonly #known = new Map<string, T>();

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string, make: () => T): T {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make();
    if (this.#known.size >= this.#max) this.#known.clear();
    this.#known.set(key, made);
    return made;
  }
}
