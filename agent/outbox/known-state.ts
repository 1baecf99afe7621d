import type { Checkpoint, Commit } from './types.ts';

/**
 * The checkpoints and values that are in the database, for two uses: values that did not change need not be
 * written, and a database that was started afresh can be given what is known. Windows are left out: they may be
 * many, and close within seconds.
 */
export class KnownState {
  readonly #checkpoints = new Map<string, Checkpoint>();
  readonly #values = new Map<string, string>();

  /** The change without values that are what they were. */
  withoutRepetition(change: Commit): Commit {
    const values = change.values.filter(([name, json]) => this.#values.get(name) !== json);
    return values.length === change.values.length ? change : { ...change, values };
  }

  /** Takes over what was committed or loaded. */
  remember({ checkpoints, forget, values }: Pick<Commit, 'checkpoints' | 'forget' | 'values'>): void {
    for (const checkpoint of checkpoints) this.#checkpoints.set(checkpoint.key, checkpoint);
    for (const key of forget) this.#checkpoints.delete(key);
    for (const [name, json] of values) this.#values.set(name, json);
  }

  /** All of it, as a change. */
  asChange(): Omit<Commit, 'blocks'> {
    return {
      checkpoints: [...this.#checkpoints.values()],
      forget: [],
      windows: { put: [], delete: [] },
      values: [...this.#values],
    };
  }
}
