import type { OpenWindow } from './open-window.ts';

/** Keys without an open window that are remembered, beside as many as there are with one. */
const IDLE_MIN = 1024;

/** One merge key, and the window that is open for it. */
export interface WindowKey {
  readonly text: string;
  window: OpenWindow | undefined;
  /** Whether it is found by its text; once it is not, another one stands for that. */
  isKnown: boolean;
}

/**
 * The merge keys of one input. Most connections that are denied come again, so a key stays when its window closes:
 * then what knows the key opens the next one without a search by its text. Keys without a window are forgotten once
 * they are more than half.
 */
export class WindowKeys {
  readonly #byText = new Map<string, WindowKey>();
  #keysMax = IDLE_MIN;

  /** The key with this text; the same one as long as it is known. */
  of(text: string): WindowKey {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.#byText.size >= this.#keysMax) this.#forget();
    const key = { text, window: undefined, isKnown: true };
    this.#byText.set(text, key);
    return key;
  }

  /** The key that has the text of this one now. */
  now(key: WindowKey): WindowKey {
    return key.isKnown ? key : this.of(key.text);
  }

  #forget(): void {
    for (const key of this.#byText.values()) {
      if (key.window !== undefined) continue;
      key.isKnown = false;
      this.#byText.delete(key.text);
    }
    this.#keysMax = IDLE_MIN + 2 * this.#byText.size;
  }
}
