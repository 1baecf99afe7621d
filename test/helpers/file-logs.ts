import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileInput as FileInputConfig } from '../../agent/config/inputs.ts';
import { openInput } from '../../agent/inputs/file.ts';
import type { FileEvent } from '../../agent/inputs/trouble.ts';
import type { Input, InputFile, LineHandler } from '../../agent/inputs/types.ts';
import type { Checkpoint } from '../../agent/outbox/types.ts';
import type { Format, LineParser } from '../../parsers/line.ts';

/** A format that looks at every line, or at those that hold a needle, and finds nothing in them. */
export function plainFormat(needles: readonly string[] = []): Format & { passedOver: number } {
  const format = {
    name: 'text',
    needles,
    passedOver: 0,
    open(): LineParser {
      return {
        parse: () => ({ kind: 'foreign' }),
        passedOver: () => {
          format.passedOver++;
        },
        save: () => undefined,
      };
    },
    save: () => undefined,
    restore: () => {},
  };
  return format;
}

/** A directory of log files, an input that follows them, and everything that it handed over. */
export class Logs implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'policy-log-agent-'));
  readonly lines: string[] = [];
  readonly ids: string[] = [];
  readonly refused: string[] = [];
  readonly events: Partial<Record<FileEvent, number>> = {};
  readonly messages: string[] = [];
  foreign = 0;
  nowMs = 1_000_000;
  bytesMax = Number.POSITIVE_INFINITY;
  format = plainFormat();
  readonly #saved = new Map<string, Checkpoint>();
  readonly #config: FileInputConfig & { name: string };
  #input: Input | undefined;
  #committed = 0;

  constructor(config: Partial<FileInputConfig> = {}) {
    this.#config = {
      name: 'test',
      type: 'file',
      format: 'text',
      log_type: 'test',
      start: 'beginning',
      poll_interval: 100,
      line_bytes_max: 65_536,
      ...config,
      paths: (config.paths ?? ['log']).map((path) => this.path(path)),
    } as FileInputConfig & { name: string };
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  append(name: string, text: string): void {
    appendFileSync(this.path(name), text);
  }

  get input(): Input {
    if (this.#input === undefined) {
      const log = {
        info: (_: object, message: string) => void this.messages.push(message),
        warn: (_: object, message: string) => void this.messages.push(message),
      };
      const events = (event: FileEvent, amount: number) => {
        this.events[event] = (this.events[event] ?? 0) + amount;
      };
      const saved = [...this.#saved.values()];
      this.#input = openInput(this.#config, this.format, saved, { node: 'node', log, events });
    }
    return this.#input;
  }

  /** Polls once, `afterMs` later, and gives the lines that came. */
  poll(afterMs = 100): string[] {
    this.nowMs += afterMs;
    const before = this.lines.length;
    this.input.poll(this.nowMs, this.bytesMax, this.#handler);
    return this.lines.slice(before);
  }

  /** Polls until everything is read and every finished backup is closed. */
  settle(): string[] {
    const before = this.lines.length;
    for (const afterMs of [100, 70_000, 70_000]) {
      this.poll(afterMs);
      while (this.input.nextPollMs(this.nowMs) === 0) this.poll();
    }
    return this.lines.slice(before);
  }

  /** What a transaction would: the lines so far and the checkpoints, together. */
  commit(): void {
    const { put, forget } = this.input.checkpoints();
    for (const checkpoint of put) this.#saved.set(checkpoint.key, checkpoint);
    for (const key of forget) this.#saved.delete(key);
    this.#committed = this.lines.length;
  }

  get saved(): Checkpoint[] {
    return [...this.#saved.values()];
  }

  /** A stop in order: everything is committed. The next poll is that of a new process. */
  stop(): void {
    this.commit();
    this.crash();
  }

  /** A stop at any moment: what was not committed never was. */
  crash(): void {
    this.#input?.close();
    this.#input = undefined;
    this.lines.length = this.#committed;
    this.ids.length = this.#committed;
  }

  loseState(): void {
    this.crash();
    this.#saved.clear();
  }

  [Symbol.dispose](): void {
    this.#input?.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  readonly #handler: LineHandler = {
    line: (file: InputFile, bytes: Buffer, start: number, end: number, offset: number) => {
      this.lines.push(bytes.toString('latin1', start, end));
      this.ids.push(file.recordId(bytes, start, end, offset).toString());
    },
    foreign: (lines) => {
      this.foreign += lines;
    },
    refused: (reason) => void this.refused.push(reason),
  };
}
