import type { Format } from '../../parsers/line.ts';
import { NeedleSearch } from './needle-search.ts';
import { SkippingSearch } from './skipping-search.ts';
import type { InputFile, LineHandler } from './types.ts';

const NEWLINE = 10;
const RETURN = 13;

/** Where the splitting of one file stands between two chunks. */
export interface LineState extends InputFile {
  /** Where the next chunk begins: a line's beginning, or within a line that is being skipped. */
  offset: number;
  /** Within a line that was refused for its length: everything to the next newline belongs to it. */
  skipping: boolean;
}

/**
 * Splits chunks of a file into lines and hands them over. It promises: every byte belongs to exactly one line
 * or to a run of NULs; a line that holds none of the needles is only counted, but for a sequel that may follow a line
 * that was handed over; a line longer than `lineBytesMax` is refused once, whatever its length, and skipped to its
 * newline. A run of NULs (a hole that truncation or a crash left in the file) ends a line like a newline does and is
 * counted in bytes.
 *
 * It keeps no bytes: what of a chunk is not consumed is read again with more behind it. So the buffer must
 * hold more than one line of full length.
 */
export class LineSplitter {
  readonly #needles: NeedleSearch;
  readonly #sequels: readonly SkippingSearch[];
  readonly #lineBytesMax: number;
  readonly #nuls: (bytes: number) => void;

  /** @param nuls is told how many NUL bytes were passed over */
  constructor(
    { needles, sequels = [] }: Pick<Format, 'needles' | 'sequels'>,
    lineBytesMax: number,
    nuls: (bytes: number) => void,
  ) {
    this.#needles = new NeedleSearch(needles);
    this.#sequels = sequels.map((sequel) => new SkippingSearch(sequel));
    this.#lineBytesMax = lineBytesMax;
    this.#nuls = nuls;
  }

  /**
   * Hands over the whole lines of `bytes[0, end)`, which stands at `file.offset`. A chunk that begins with
   * NULs and holds nothing else is not consumed.
   * @returns bytes consumed; `file.offset` is left to the caller
   */
  split(file: LineState, bytes: Buffer, end: number, handler: LineHandler): number {
    this.#needles.learn(bytes, end);
    const consumed = this.#split(file, bytes, end, handler);
    file.parser.settle?.();
    return consumed;
  }

  #split(file: LineState, bytes: Buffer, end: number, handler: LineHandler): number {
    const chunk = bytes.subarray(0, end);
    let from = 0;
    if (file.skipping) {
      const newline = chunk.indexOf(NEWLINE);
      const hole = chunk.subarray(0, newline < 0 ? end : newline).indexOf(0);
      if (newline < 0 && hole < 0) return end;
      file.skipping = false;
      from = hole < 0 ? newline + 1 : hole;
    }
    let nul = chunk.indexOf(0, from);
    while (nul >= 0) {
      const runEnd = endOfRun(chunk, nul);
      if (runEnd === end) {
        // The run may go on. Bytes before it wait for its end, unless that is too far to see.
        const full = end === bytes.length && nul > 0;
        const consumed = this.#lines(file, chunk, from, nul, handler, full);
        return full ? nul : consumed;
      }
      this.#lines(file, chunk, from, nul, handler, true);
      this.#nuls(runEnd - nul);
      from = runEnd;
      nul = chunk.indexOf(0, from);
    }
    return this.#lines(file, chunk, from, end, handler, false);
  }

  /** NULs that the caller passed over. */
  passNuls(bytes: number): void {
    this.#nuls(bytes);
  }

  /** Hands over what stands after a file's last newline, as a line: the file is finished. */
  rest(file: LineState, bytes: Buffer, end: number, handler: LineHandler): void {
    let stop = end;
    while (stop > 0 && bytes[stop - 1] === 0) stop--;
    if (stop < end) this.#nuls(end - stop);
    if (stop > 0 && !file.skipping) this.#lines(file, bytes.subarray(0, stop), 0, stop, handler, true);
    file.parser.settle?.();
  }

  /** @param ended whether a line ends at `end` though no newline stands there */
  #lines(
    file: LineState,
    chunk: Buffer,
    start: number,
    end: number,
    handler: LineHandler,
    ended: boolean,
  ): number {
    const max = this.#lineBytesMax;
    let from = start;
    let whole = start;
    // Steps of at most one full line: where a step finds no newline, a line is too long.
    while (end - whole > max) {
      const newline = chunk.lastIndexOf(NEWLINE, Math.min(whole + max, end - 1));
      if (newline >= whole) {
        whole = newline + 1;
        continue;
      }
      this.#emit(file, chunk, from, whole, handler);
      handler.refused('too_long');
      const next = chunk.indexOf(NEWLINE, whole);
      if (next < 0 || next >= end) {
        file.skipping = !ended;
        return end;
      }
      whole = next + 1;
      from = whole;
    }
    const newline = end > whole ? chunk.lastIndexOf(NEWLINE, end - 1) : -1;
    if (newline >= whole) whole = newline + 1;
    this.#emit(file, chunk, from, whole, handler);
    if (!ended || whole === end) return whole;
    this.#last(file, chunk, whole, end, handler);
    return end;
  }

  /** Hands over the whole lines of `chunk[from, to)`, which ends with a newline. */
  #emit(file: LineState, chunk: Buffer, from: number, to: number, handler: LineHandler): void {
    if (from === to) return;
    const needles = this.#needles;
    if (needles.areNone) {
      for (let start = from; start < to; ) {
        const newline = chunk.indexOf(NEWLINE, start);
        handOver(file, chunk, start, newline, handler);
        start = newline + 1;
      }
      return;
    }
    let foreign = 0;
    let next = from;
    needles.begin();
    while (next < to) {
      const likely = needles.likely(chunk, next);
      if (likely > 0) {
        const newline = chunk.indexOf(NEWLINE, next);
        if (newline > likely) {
          handOver(file, chunk, next, newline, handler);
          next = newline + 1;
          continue;
        }
      }
      const found = needles.find(chunk, next, to);
      const passed = foreign;
      let start = next;
      // `indexOf` of one byte is the fastest way to count newlines: faster than words at a time.
      let newline = chunk.indexOf(NEWLINE, next);
      // Before this line one was handed over, or a chunk begins: the parser knows what the one before it was.
      if ((found < 0 || newline < found) && this.#isSequel(chunk, next, newline)) {
        handOver(file, chunk, next, newline, handler);
        next = newline + 1;
        continue;
      }
      while (newline >= 0 && newline < (found < 0 ? to : found)) {
        foreign++;
        start = newline + 1;
        newline = chunk.indexOf(NEWLINE, start);
      }
      if (foreign > passed) file.parser.passedOver();
      if (found < 0) break;
      needles.note(found - start);
      handOver(file, chunk, start, newline, handler);
      next = newline + 1;
    }
    if (foreign > 0) handler.foreign(foreign);
  }

  #last(file: LineState, chunk: Buffer, start: number, end: number, handler: LineHandler): void {
    const needles = this.#needles;
    needles.begin();
    if (needles.areNone || needles.find(chunk, start, end) >= 0 || this.#isSequel(chunk, start, end)) {
      handOver(file, chunk, start, end, handler);
    } else {
      file.parser.passedOver();
      handler.foreign(1);
    }
  }

  #isSequel(chunk: Buffer, start: number, end: number): boolean {
    for (const sequel of this.#sequels) if (sequel.isIn(chunk, start, end)) return true;
    return false;
  }
}

function handOver(
  file: LineState,
  chunk: Buffer,
  start: number,
  newline: number,
  handler: LineHandler,
): void {
  const end = newline > start && chunk[newline - 1] === RETURN ? newline - 1 : newline;
  handler.line(file, chunk, start, end, file.offset + start);
}

function endOfRun(chunk: Buffer, start: number): number {
  let at = start;
  while (at < chunk.length && chunk[at] === 0) at++;
  return at;
}
