import type { FlowLine, Format, LogLine, UnparsableReason } from '../parsers/line.ts';
import type { InputFile, LineHandler } from './inputs/types.ts';
import { Accounts } from './observe/accounts.ts';
import type { Commit, SavedState } from './outbox/types.ts';
import type { RecordBuffer } from './record-buffer.ts';
import { type InputStages, Stages, type StagesConfig } from './stages/stages.ts';

/** Format states are stored under this and the input's name. */
const FORMAT_VALUE = 'format:';

/** What the pipeline changed since it was asked last, to be committed with the inputs' checkpoints. */
export type PipelineChanges = Pick<Commit, 'windows' | 'values'>;

/**
 * Every stage that a line meets, in order, for all inputs of a node:
 *
 *     parse ─▶ merge into an open window ─▶ enrich ─▶ select ─▶ aggregate ─▶ limit ─▶ record
 *
 * and the accounts: each line is counted in exactly one class. Synchronous; the time of reading is an argument.
 * What it holds between two lines is what `takeChanges` gave so far; `restore` goes on from there exactly.
 */
export class Pipeline {
  readonly accounts: ReadonlyMap<string, Accounts>;
  readonly #lanes: ReadonlyMap<string, Lane>;
  readonly #stages: Stages;
  /** Whose line or windows the stages are at work on. */
  #active: Lane | undefined;

  /** @param formats the format of each input, by the input's name */
  constructor(config: StagesConfig, formats: ReadonlyMap<string, Format>, records: RecordBuffer) {
    this.#stages = new Stages(config, {
      record: (json) => {
        records.append(json);
        this.#active!.accounts.records++;
      },
      summary: (json) => records.append(json),
    });
    const lanes = new Map<string, Lane>();
    for (const [name, format] of formats) {
      lanes.set(name, new Lane(format, this.#stages.input(name), records));
    }
    this.#lanes = lanes;
    this.accounts = new Map(Array.from(lanes, ([name, lane]) => [name, lane.accounts]));
  }

  /** Windows that are open now. */
  get openWindows(): number {
    return this.#stages.open;
  }

  /** Where an input's lines go. @param nowMs the time of reading */
  lane(input: string, nowMs: number): LineHandler {
    const lane = this.#activate(input);
    lane.nowUs = nowMs * 1000;
    return lane;
  }

  /** The input has been read to its end: the clock may close its windows. */
  quiet(input: string, nowMs: number): void {
    this.#activate(input).closeQuiet(nowMs * 1000);
  }

  /** Closes every window, as if time had passed. */
  closeAll(): void {
    for (const input of this.#lanes.keys()) this.#activate(input).closeAll();
  }

  takeChanges(): PipelineChanges {
    const values = this.#stages.save();
    for (const [name, { format }] of this.#lanes) {
      const state = format.save();
      if (state !== undefined) values.push([FORMAT_VALUE + name, JSON.stringify(state)]);
    }
    return { windows: this.#stages.takeChanges(), values };
  }

  /** Goes on where an earlier process stopped; to be called before any line. */
  restore({ windows, values }: SavedState): void {
    this.#stages.restore(windows, values);
    for (const [name, lane] of this.#lanes) {
      lane.accounts.restored = lane.open;
      const state = values.get(FORMAT_VALUE + name);
      if (state !== undefined) lane.format.restore(JSON.parse(state));
    }
  }

  #activate(input: string): Lane {
    const lane = this.#lanes.get(input)!;
    this.#active = lane;
    return lane;
  }
}

/** One input's way through the stages. */
class Lane implements LineHandler {
  readonly accounts = new Accounts();
  readonly format: Format;
  readonly #stages: InputStages;
  readonly #records: RecordBuffer;
  nowUs = 0;
  // The line under way, for its id: asked for only if it makes a record.
  #file!: InputFile;
  #bytes!: Buffer;
  #start = 0;
  #end = 0;
  #offset = 0;
  readonly #id = () => this.#file.recordId(this.#bytes, this.#start, this.#end, this.#offset);

  constructor(format: Format, stages: InputStages, records: RecordBuffer) {
    this.format = format;
    this.#stages = stages;
    this.#records = records;
  }

  get open(): number {
    return this.#stages.windows.size;
  }

  line(file: InputFile, bytes: Buffer, start: number, end: number, offset: number): void {
    this.#file = file;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#offset = offset;
    this.accounts.lines++;
    const line = file.parser.parse(bytes, start, end, this.nowUs);
    switch (line.kind) {
      case 'flow':
        this.#flow(line);
        break;
      case 'repeated':
        this.#flow(line.line);
        break;
      case 'log':
        this.#log(line);
        break;
      case 'foreign':
        this.accounts.foreign++;
        break;
      case 'unparsable':
        this.accounts.unparsable.add(line.reason);
        break;
      case 'dropped':
        this.accounts.dropped.add(line.reason);
        break;
    }
  }

  foreign(lines: number): void {
    this.accounts.lines += lines;
    this.accounts.foreign += lines;
  }

  refused(reason: UnparsableReason): void {
    this.accounts.lines++;
    this.accounts.unparsable.add(reason);
  }

  closeQuiet(nowUs: number): void {
    this.#stages.windows.closeQuiet(nowUs);
  }

  closeAll(): void {
    this.#stages.windows.closeAll();
  }

  #flow(line: FlowLine): void {
    const { accounts } = this;
    const became = this.#stages.process(line, this.#id);
    if (became.kind === 'merged') accounts.merged++;
    else if (became.kind === 'filtered') accounts.filtered.add(became.reason);
    else if (became.kind === 'dropped') accounts.dropped.add(became.reason);
    // A line that opened a window is counted with the record that the window becomes.
  }

  #log(line: LogLine): void {
    this.accounts.records++;
    this.#records.append(JSON.stringify(line.toRecord(this.#id())));
  }
}
