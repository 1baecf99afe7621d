import type { FlowLine } from '../../parsers/line.ts';
import type { WindowRow } from '../outbox/types.ts';
import { AliasTable } from './alias-table.ts';
import type { Holds } from './enrich.ts';
import { type Head, Heads } from './heads.ts';
import { OpenWindow } from './open-window.ts';
import { type WindowKey, WindowKeys } from './window-keys.ts';

/** Raw keys that are remembered for each window that may be open: a connection can be written in several ways. */
const ALIASES_PER_WINDOW = 4;

export interface AggregateOptions {
  readonly windowUs: number;
  readonly graceUs: number;
  readonly srcPortsMax: number;
  readonly keysMax: number;
}

/** What all inputs of a node share: how many windows are open, and the order in which they were opened. */
export interface OpenKeys {
  open: number;
  nextOrder: number;
}

/**
 * The windows of one input.
 *
 * - A window opens with the first connection of its key and holds what is less than `windowUs` from that one's time,
 *   before or after: an event exactly `windowUs` later opens the next. It neither slides nor is aligned.
 *   An earlier event (jitter) merges too; one that is a whole window earlier means that the clock was set
 *   back: it closes the window and opens anew. So does one at whose time an address is no longer whose the record
 *   says it is.
 * - An event closes the windows that it is out of reach of, in the order in which they were opened, up to the
 *   first that it is in reach of; so records leave in that order. Only an own key's next window may overtake.
 * - `closeQuiet` closes by the clock what no event closes any more.
 * - What is open counts against `keysMax` over all inputs; `isFull` is for the caller to ask before it opens.
 * - `takeChanges` gives the rows that make `restore` continue exactly here.
 */
export class Aggregate {
  readonly #input: string;
  readonly #options: AggregateOptions;
  readonly #keys: OpenKeys;
  readonly #out: (window: OpenWindow) => void;
  /** Of the records of what is open. */
  readonly heads = new Heads();
  readonly #aliases: AliasTable;
  readonly #windowKeys = new WindowKeys();
  /** Windows in order of opening, from `#head` on; closed ones stay until they are at the front. */
  #queue: OpenWindow[] = [];
  #head = 0;
  #gone: number[] = [];
  #open = 0;
  #touched = true;
  #quietSinceUs = 0;

  /** @param out takes the record of each window that closes */
  constructor(input: string, options: AggregateOptions, keys: OpenKeys, out: (window: OpenWindow) => void) {
    this.#input = input;
    this.#options = options;
    this.#keys = keys;
    this.#out = out;
    this.#aliases = new AliasTable(this, options.keysMax * ALIASES_PER_WINDOW);
  }

  /** Windows of this input that are open. */
  get size(): number {
    return this.#open;
  }

  get isFull(): boolean {
    return this.#keys.open >= this.#options.keysMax;
  }

  /** The window, open or closed, that a line's raw key belonged to last, where that is known. Decodes and allocates nothing. */
  find(line: FlowLine): OpenWindow | undefined {
    return this.#aliases.find(line);
  }

  /** The key with this text. */
  key(text: string): WindowKey {
    return this.#windowKeys.of(text);
  }

  /** The key of a window, open or closed. */
  keyOf(window: OpenWindow): WindowKey {
    return this.#windowKeys.now(window.key);
  }

  /** Merges a line into the window that was found for it, if that is open and in reach. */
  merge(line: FlowLine, window: OpenWindow): boolean {
    if (!window.open || !window.takes(line.timeUs, this.#options.windowUs)) return false;
    this.#add(window, line);
    return true;
  }

  /**
   * Merges a line into the open window of its key. A window out of its reach is closed instead.
   * @param alias whether the line's raw key alone decides from now on
   */
  mergeByKey(line: FlowLine, key: WindowKey, alias: boolean): boolean {
    const { window } = key;
    if (window === undefined) return false;
    if (!window.takes(line.timeUs, this.#options.windowUs)) {
      this.close(window);
      return false;
    }
    if (alias) this.#aliases.add(line, window);
    this.#add(window, line);
    return true;
  }

  /**
   * Opens the window of a key that has none.
   * @param head what its record begins with, among `heads`
   * @param holds at which times the record's names are right; undefined: always
   */
  open(line: FlowLine, key: WindowKey, head: Head, alias: boolean, holds?: Holds): void {
    const window = new OpenWindow(this, this.#input, this.#keys.nextOrder, key, line.timeUs, head, holds);
    this.#keys.nextOrder += 1;
    this.#keep(window);
    if (alias) this.#aliases.add(line, window);
    this.#add(window, line);
  }

  /** Closes what an event at this time is out of reach of. */
  advance(timeUs: number): void {
    for (let window = this.#oldest(); window !== undefined; window = this.#oldest()) {
      if (window.reaches(timeUs, this.#options.windowUs)) return;
      this.close(window);
    }
  }

  /**
   * Closes by the clock; called when the input has been read to its end. A window closes a grace after its end, and not
   * before no line has come for as long. Events stamped later than the clock says count as if they were of
   * the time at which the clock first saw their window.
   */
  closeQuiet(nowUs: number): void {
    const { windowUs, graceUs } = this.#options;
    if (this.#touched) this.#quietSinceUs = nowUs;
    this.#touched = false;
    const isQuiet = nowUs >= this.#quietSinceUs + graceUs;
    for (const window of this.opened()) {
      if (window.futureEndUs === 0) window.futureEndUs = nowUs + windowUs;
      const endUs = Math.min(window.firstUs + windowUs, window.futureEndUs);
      if (isQuiet && nowUs >= endUs + graceUs) this.close(window);
    }
  }

  /** What changed since the last call. Adds to the lists given. */
  takeChanges(put: WindowRow[], gone: number[]): void {
    for (const window of this.opened()) {
      if (!window.dirty) continue;
      window.dirty = false;
      window.stored = true;
      put.push(window.toRow());
    }
    for (const key of this.#gone) gone.push(key);
    this.#gone = [];
  }

  /** Takes over a window that was open before; windows come in order of opening. */
  restore(window: OpenWindow): void {
    this.#keys.nextOrder = Math.max(this.#keys.nextOrder, window.order + 1);
    this.#keep(window);
  }

  #keep(window: OpenWindow): void {
    this.#keys.open += 1;
    this.#open += 1;
    window.key.window = window;
    this.#queue.push(window);
  }

  #add(window: OpenWindow, line: FlowLine): void {
    window.merge(line, this.#options.srcPortsMax);
    window.dirty = true;
    this.#touched = true;
  }

  /** Makes a window's record. */
  close(window: OpenWindow): void {
    this.#out(window);
    window.close();
    this.#keys.open -= 1;
    this.#open -= 1;
    if (window.key.window === window) window.key.window = undefined;
    if (window.stored) this.#gone.push(window.order);
  }

  /** The window at the front; lets go of the closed ones before it. */
  #oldest(): OpenWindow | undefined {
    const queue = this.#queue;
    while (this.#head < queue.length && !queue[this.#head]!.open) this.#head += 1;
    if (this.#head * 2 > queue.length && this.#head > 64) {
      this.#queue = queue.slice(this.#head);
      this.#head = 0;
    }
    return this.#queue[this.#head];
  }

  /** In order of opening. */
  opened(): OpenWindow[] {
    return this.#queue.slice(this.#head).filter((window) => window.open);
  }
}
