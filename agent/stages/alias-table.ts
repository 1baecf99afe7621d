import type { FlowLine } from '../../parsers/line.ts';
import type { OpenWindow } from './open-window.ts';

/** Slots that are looked at before a key counts as absent: bounds what keys made to collide can cost. */
const PROBES_MAX = 32;
const SLOTS_MIN = 1024;

interface Alias {
  readonly hash: number;
  readonly key: Uint8Array;
  window: OpenWindow;
}

/**
 * Which window a line's raw key belongs to: an open-addressing hash table over the bytes of the line, so that
 * finding decodes and allocates nothing. Lines that their parser has recognized as of one key have the window with them.
 *
 * It is a cache, and nothing but speed hangs on it: a window may have several raw keys here, or none, for it
 * may be forgotten at any time. So nothing is ever deleted; a window that has closed tells its key. The table doubles
 * up to a bound, and when it is full there it is emptied.
 */
export class AliasTable {
  readonly #owner: object;
  readonly #slotsMax: number;
  #slots: (Alias | undefined)[] = emptySlots(SLOTS_MIN);
  #used = 0;

  /**
   * @param owner whose windows it knows
   * @param aliasesMax raw keys to remember at least, before all are forgotten
   */
  constructor(owner: object, aliasesMax: number) {
    this.#owner = owner;
    this.#slotsMax = Math.max(SLOTS_MIN, 2 ** Math.ceil(Math.log2(aliasesMax * 2)));
  }

  /** The window, open or closed, that lines with this line's raw key belonged to last, where it is known. */
  find(line: FlowLine): OpenWindow | undefined {
    const near = this.#ofKin(line);
    if (near !== undefined) return near;
    const alias = this.#place(line);
    if (typeof alias === 'number') return undefined;
    if (line.kin !== undefined) line.kin.known = alias.window;
    return alias.window;
  }

  /** Remembers that lines with this line's raw key belong to the window. */
  add(line: FlowLine, window: OpenWindow): void {
    if (this.#ofKin(line) === window) return;
    if (line.kin !== undefined) line.kin.known = window;
    const known = this.#place(line);
    if (typeof known === 'object') {
      known.window = window;
      return;
    }
    if (this.#slots[known] === undefined) this.#used += 1;
    this.#slots[known] = { hash: line.keyHash(), key: line.copyKey(), window };
    if (this.#used * 2 > this.#slots.length) this.#makeRoom();
  }

  #ofKin(line: FlowLine): OpenWindow | undefined {
    const window = line.kin?.known as OpenWindow | undefined;
    return window?.owner === this.#owner ? window : undefined;
  }

  /** The key's alias; or the slot to put it in, which is another key's if all near are taken. */
  #place(line: FlowLine): Alias | number {
    const hash = line.keyHash();
    const slots = this.#slots;
    const mask = slots.length - 1;
    const home = spread(hash);
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      const slot = (home + probe) & mask;
      const alias = slots[slot];
      if (alias === undefined) return slot;
      if (alias.hash === hash && line.keyEquals(alias.key)) return alias;
    }
    return home & mask;
  }

  #makeRoom(): void {
    const aliases = this.#slots;
    if (aliases.length >= this.#slotsMax) {
      aliases.fill(undefined);
      this.#used = 0;
      return;
    }
    const slots = emptySlots(aliases.length * 2);
    this.#used = 0;
    for (const alias of aliases) {
      if (alias === undefined || !alias.window.open) continue;
      let slot = spread(alias.hash) & (slots.length - 1);
      while (slots[slot] !== undefined) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = alias;
      this.#used += 1;
    }
    this.#slots = slots;
  }
}

function emptySlots(length: number): (Alias | undefined)[] {
  return new Array<Alias | undefined>(length).fill(undefined);
}

/** Spreads a hash's high bits over its low ones, which choose the slot. Never negative. */
function spread(hash: number): number {
  return (Math.imul(hash, 0x9e3779b1) >>> 15) ^ (hash & 0x3fffffff);
}
