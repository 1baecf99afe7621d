import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Logs } from './file-logs.ts';

/** What can happen to a log and to its reader. */
export type Operation =
  | { do: 'write'; lines: number; width: number }
  | { do: 'partial' }
  | { do: 'rename'; late: boolean; create: boolean }
  | { do: 'rename twice' }
  | { do: 'copytruncate'; pollBetween: boolean }
  | { do: 'compress'; with: 'gz' | 'zst' }
  | { do: 'delete oldest' }
  | { do: 'delete while open' }
  | { do: 'away and back'; pollAway: boolean }
  | { do: 'poll' }
  | { do: 'poll a little' }
  | { do: 'wait' }
  | { do: 'commit' }
  | { do: 'restart' }
  | { do: 'crash' };

export type Header = keyof typeof HEADERS;
const HEADERS = { none: '', short: 'short\n', long: 'the same in every file\n'.repeat(60) };

/** The content of one file, from its first byte to its last, whatever it is called. */
interface Content {
  text: string;
  /** Removed before it can be known that all of it was read. */
  removed: boolean;
  /** Nothing is written to it any more. */
  done: boolean;
}

/** A log's writer and rotation, together with a plain account of what a reader must get. */
export class LogModel implements Disposable {
  readonly logs: Logs;
  readonly #contents: Content[] = [];
  /** Names and contents of the backups, the newest first: `log.1`, `log.2`, … */
  readonly #backups: { suffix: string; content: Content }[] = [];
  readonly #header: string;
  #active: Content | undefined;
  #descriptor = -1;
  #next = 0;

  /** @param header what each new file begins with, the same in all */
  constructor(start: 'end' | 'beginning', header: Header) {
    this.#header = HEADERS[header];
    this.logs = new Logs({ start, paths: ['log'] });
    if (start === 'end') {
      this.logs.poll();
      this.logs.commit();
    }
  }

  run(operation: Operation): void {
    switch (operation.do) {
      case 'write':
        for (let i = 0; i < operation.lines; i++) {
          const number = this.#next++;
          this.#put(`${number}${'.'.repeat(operation.width)}=${number}\n`);
        }
        break;
      case 'partial':
        this.#put(`${this.#next++}-`);
        break;
      case 'rename':
        this.#rename(operation.late);
        if (operation.create) this.#create();
        break;
      case 'rename twice':
        this.#rename(false);
        this.#put(`${this.#next++}\n`);
        this.#rename(false);
        break;
      case 'copytruncate':
        this.#copyTruncate(operation.pollBetween);
        break;
      case 'compress':
        this.#compress(operation.with);
        break;
      case 'delete oldest': {
        const oldest = this.#backups.pop();
        if (oldest === undefined) break;
        oldest.content.removed = true;
        unlinkSync(this.#path(this.#backups.length + 1, oldest.suffix));
        break;
      }
      case 'delete while open':
        if (this.#active === undefined) break;
        this.logs.poll();
        unlinkSync(this.#path(0));
        this.#put(`${this.#next++}\n`);
        this.logs.poll();
        this.logs.commit();
        this.#active.removed = true;
        this.#end();
        break;
      case 'away and back':
        if (this.#active === undefined) break;
        renameSync(this.#path(0), this.logs.path('elsewhere'));
        this.#put(`${this.#next++}\n`);
        if (operation.pollAway) this.logs.poll();
        renameSync(this.logs.path('elsewhere'), this.#path(0));
        break;
      case 'poll':
        this.logs.poll();
        break;
      case 'poll a little':
        this.logs.bytesMax = 1;
        this.logs.poll();
        this.logs.bytesMax = Number.POSITIVE_INFINITY;
        break;
      case 'wait':
        this.logs.poll(70_000);
        break;
      case 'commit':
        this.logs.commit();
        break;
      case 'restart':
        this.logs.stop();
        break;
      case 'crash':
        this.logs.crash();
        break;
    }
  }

  /** What was delivered that should not have been, or the other way round; empty when all is well. */
  check(): string[] {
    // The last backup is finished, torn line and all, when a newer file has lines.
    this.#put(`${this.#next++}\n`);
    this.logs.settle();
    const problems: string[] = [];
    const delivered = this.logs.lines.filter((line) => /^\d/.test(line));
    const places = new Map(delivered.map((line, place) => [line, place]));
    if (places.size < delivered.length) problems.push(`twice: ${twice(delivered)}`);
    let expected = 0;
    for (const content of this.#contents) {
      const lines = content.text.split('\n');
      const torn = lines.pop();
      if (torn !== '' && content !== this.#active) lines.push(torn!);
      const own = lines.filter((line) => /^\d/.test(line));
      const found = own.filter((line) => places.has(line));
      if (!content.removed && found.length < own.length) {
        problems.push(`lost: ${own.filter((line) => !places.has(line)).map(short)}`);
      }
      expected += found.length;
      const order = found.map((line) => places.get(line)!);
      if (order.some((place, i) => i > 0 && place < order[i - 1]!))
        problems.push(`order: ${found.map(short)}`);
    }
    if (expected < places.size) {
      const all = new Set(this.#contents.flatMap(({ text }) => text.split('\n')));
      problems.push(`never written: ${delivered.filter((line) => !all.has(line)).map(short)}`);
    }
    return problems;
  }

  #path(number: number, suffix = ''): string {
    return this.logs.path(number === 0 ? 'log' : `log.${number}${suffix}`);
  }

  #create(): void {
    this.#active = { text: '', removed: false, done: false };
    this.#contents.push(this.#active);
    this.#descriptor = openSync(this.#path(0), 'a');
    if (this.#header !== '') this.#put(this.#header);
  }

  #put(text: string): void {
    if (this.#active === undefined) this.#create();
    writeSync(this.#descriptor, text);
    this.#active!.text += text;
  }

  #end(): void {
    if (this.#active === undefined) return;
    closeSync(this.#descriptor);
    this.#active.done = true;
    this.#active = undefined;
  }

  #shift(): void {
    for (let i = this.#backups.length; i > 0; i--) {
      const { suffix } = this.#backups[i - 1]!;
      renameSync(this.#path(i, suffix), this.#path(i + 1, suffix));
    }
  }

  #rename(late: boolean): void {
    if (this.#active === undefined) return;
    this.#shift();
    renameSync(this.#path(0), this.#path(1));
    this.#backups.unshift({ suffix: '', content: this.#active });
    if (late) {
      this.logs.poll();
      this.#put(`${this.#next++}\n`);
    }
    this.#end();
  }

  #copyTruncate(pollBetween: boolean): void {
    if (this.#active === undefined) return;
    this.#shift();
    copyFileSync(this.#path(0), this.#path(1));
    if (pollBetween) this.logs.poll();
    truncateSync(this.#path(0));
    this.#backups.unshift({ suffix: '', content: this.#active });
    this.#active.done = true;
    this.#active = { text: '', removed: false, done: false };
    this.#contents.push(this.#active);
    if (this.#header !== '') this.#put(this.#header);
  }

  #compress(suffix: 'gz' | 'zst'): void {
    let place = this.#backups.length - 1;
    while (place >= 0 && this.#backups[place]!.suffix !== '') place--;
    if (place < 0) return;
    const path = this.#path(place + 1);
    const bytes = readFileSync(path);
    writeFileSync(`${path}.${suffix}`, suffix === 'gz' ? gzipSync(bytes) : zstdCompressSync(bytes));
    unlinkSync(path);
    this.#backups[place]!.suffix = `.${suffix}`;
  }

  [Symbol.dispose](): void {
    if (this.#active !== undefined && existsSync(this.#path(0))) closeSync(this.#descriptor);
    this.logs[Symbol.dispose]();
  }
}

function short(line: string): string {
  return line.length > 12 ? `${line.slice(0, 8)}… (${line.length})` : line;
}

function twice(lines: readonly string[]): string[] {
  const seen = new Set<string>();
  return lines.filter((line) => seen.size === seen.add(line).size).map(short);
}
