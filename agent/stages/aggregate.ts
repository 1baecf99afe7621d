import type { FlowLine } from '../../parsers/line.ts';
import type { WindowRow } from '../outbox/types.ts';
import { AliasTable } from './alias-table.ts';
import type { Holds } from './enrich.ts';
import { Heads } from './heads.ts';
import type { OpenWindow, WindowOwner } from './open-window.ts';
import { WindowKeys } from './window-keys.ts';

/** Raw keys that are remembered for each window that may be open: a connection can be written in several ways. */
const ALIASES_PER_WINDOW = 4;

export interface AggregateOptions {
  readonly windowUs: number;
  readonly graceUs: number;
  readonly srcPortsMax: number;
  readonly keysMax: number;
  /** Whether lines with one raw key always have one merge key. */
  readonly hasFixedKeys: boolean;
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
export class Aggregate implements WindowOwner {
  readonly input: string;
  readonly #options: AggregateOptions;
  readonly #keys: OpenKeys;
  readonly #out: (window: OpenWindow) => void;
  /** Of the records of what is open. */
  readonly heads = new Heads();
  readonly #aliases: AliasTable;
  readonly #byKey = new WindowKeys(this);
  /** The ends of the list of open windows, in order of opening. */
  #oldest: OpenWindow | undefined;
  #newest: OpenWindow | undefined;
  #gone: number[] = [];
  #open = 0;
  #touched = true;
  #quietSinceUs = 0;

  /** @param out takes the record of each window that closes */
  constructor(input: string, options: AggregateOptions, keys: OpenKeys, out: (window: OpenWindow) => void) {
    this.input = input;
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

  /** The window of a key, open or closed. */
  of(key: string): OpenWindow {
    return this.#byKey.of(key);
  }

  /** The window, open or closed, that is now the one of that window's key. */
  now(window: OpenWindow): OpenWindow {
    return this.#byKey.now(window);
  }

  /** Merges a line into the window that was found for it, if that is open and in reach. */
  merge(line: FlowLine, window: OpenWindow): boolean {
    if (!window.open || !window.takes(line.timeUs, this.#options.windowUs)) return false;
    this.#add(window, line);
    return true;
  }

  /**
   * Merges a line into the window of its key, if that is open. A window out of its reach is closed instead.
   * @param alias whether the line's raw key alone decides from now on
   */
  mergeByKey(line: FlowLine, window: OpenWindow, alias: boolean): boolean {
    if (!window.open) return false;
    if (!window.takes(line.timeUs, this.#options.windowUs)) {
      this.close(window);
      return false;
    }
    if (alias) this.#aliases.add(line, window);
    this.#add(window, line);
    return true;
  }

  /**
   * Opens a window that is closed, and whose head is written, among `heads`.
   * @param holds at which times the record's names are right; undefined: always
   */
  open(line: FlowLine, window: OpenWindow, alias: boolean, holds?: Holds): void {
    window.openAt(line.timeUs, this.#keys.nextOrder, holds);
    this.#keys.nextOrder += 1;
    this.#keep(window);
    if (alias) this.#aliases.add(line, window);
    this.#add(window, line);
  }

  /** Closes what an event at this time is out of reach of. */
  advance(timeUs: number): void {
    const { windowUs } = this.#options;
    while (this.#oldest !== undefined && !this.#oldest.reaches(timeUs, windowUs)) this.close(this.#oldest);
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

  /** A window to restore into; another one of its key remains open, and takes no more lines. */
  anew(key: string): OpenWindow {
    return this.#byKey.anew(key);
  }

  /** Takes over a window that was open before; windows come in order of opening. */
  restore(window: OpenWindow): void {
    this.#keys.nextOrder = Math.max(this.#keys.nextOrder, window.order + 1);
    this.#keep(window);
  }

  #keep(window: OpenWindow): void {
    this.#keys.open += 1;
    this.#open += 1;
    window.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = window;
    else this.#newest.newer = window;
    this.#newest = window;
  }

  #letGo(window: OpenWindow): void {
    const { older, newer } = window;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    window.older = window.newer = undefined;
    this.#keys.open -= 1;
    this.#open -= 1;
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
    this.#letGo(window);
    if (!this.#options.hasFixedKeys) this.#byKey.forget(window);
    if (window.stored) this.#gone.push(window.order);
  }

  /** In order of opening. */
  opened(): OpenWindow[] {
    const opened: OpenWindow[] = [];
    for (let window = this.#oldest; window !== undefined; window = window.newer) opened.push(window);
    return opened;
  }
}
