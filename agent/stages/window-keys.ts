import { OpenWindow, type WindowOwner } from './open-window.ts';

/** Keys that are remembered although their windows are closed; about half a KB each. */
const CLOSED_MAX = 4096;

/**
 * The windows of one input by their merge keys. Most connections that are denied come again, so a key and its window
 * stay when that closes, and the next opens without a search or anything new. Those that are closed are forgotten, all
 * at once, when there are more than `CLOSED_MAX` and as many as are open.
 */
export class WindowKeys {
  readonly #owner: WindowOwner;
  readonly #byKey = new Map<string, OpenWindow>();
  #keysMax = CLOSED_MAX;

  constructor(owner: WindowOwner) {
    this.#owner = owner;
  }

  /** The window of this key, open or closed. */
  of(key: string): OpenWindow {
    return this.#byKey.get(key) ?? this.anew(key);
  }

  /** What is the window of that one's key now. */
  now(window: OpenWindow): OpenWindow {
    return window.isForgotten ? this.of(window.key) : window;
  }

  /** Another window for this key; one that is open remains so, and takes no more lines. */
  anew(key: string): OpenWindow {
    if (this.#byKey.size >= this.#keysMax) this.#forgetClosed();
    const window = new OpenWindow(this.#owner, key);
    this.#byKey.set(key, window);
    return window;
  }

  /** The key's next window will be another one. */
  forget(window: OpenWindow): void {
    window.isForgotten = true;
    if (this.#byKey.get(window.key) === window) this.#byKey.delete(window.key);
  }

  #forgetClosed(): void {
    for (const window of this.#byKey.values()) if (!window.open) this.forget(window);
    this.#keysMax = CLOSED_MAX + 2 * this.#byKey.size;
  }
}
