import type { Enricher, FlowLine, Format, LogLine, UnparsableReason } from '../parsers/line.ts';
import type { InputFile, LineHandler } from './inputs/types.ts';
import { Accounts } from './observe/accounts.ts';
import type { RefusedLines } from './observe/refused-lines.ts';
import type { Commit, SavedState } from './outbox/types.ts';
import { type InputPipeline, Pipeline, type PipelineConfig, type PipelineSurroundings } from './pipeline.ts';
import type { RecordBuffer } from './record-buffer.ts';
import { MERGED } from './stages/line-class.ts';
import type { OpenWindow } from './stages/open-window.ts';

/** Format states are stored under this and the input's name. */
const FORMAT_VALUE = 'format:';

/** What changed since it was asked last, to be committed with the inputs' checkpoints. */
export type IntakeChanges = Pick<Commit, 'windows' | 'values'>;

export interface IntakeSurroundings extends PipelineSurroundings {
  /** Shown some of the lines that cannot be read. */
  readonly refusedLines?: RefusedLines;
}

/**
 * Takes the lines of all inputs of a node, lets their formats parse them, leads what is a connection through the
 * pipeline, collects the records, and keeps the accounts: each line is counted in exactly one class.
 *
 * Synchronous; the time of reading is an argument. What it and the pipeline hold between two lines is what
 * `takeChanges` gave so far; `restore` goes on from there exactly.
 */
export class Intake {
  readonly #accounts: Map<string, Accounts>;
  /** Windows that are found open were opened, and counted, by `before`. */
  readonly #goesOn: boolean;
  readonly #lanes = new Map<string, Lane>();
  readonly #pipeline: Pipeline;

  /**
   * @param formats the format of each input, by the input's name
   * @param before whose accounts it goes on with, where it replaces another one of this process
   */
  constructor(
    config: PipelineConfig,
    formats: ReadonlyMap<string, Format>,
    records: RecordBuffer,
    surroundings: IntakeSurroundings,
    before?: Intake,
  ) {
    this.#accounts = before === undefined ? new Map() : before.#accounts;
    this.#goesOn = before !== undefined;
    const out = {
      record: (json: string, input: string) => {
        records.append(json);
        this.#accountsOf(input).records++;
      },
      line: (line: FlowLine, id: Buffer, enricher: Enricher, input: string) => {
        records.appendLine(line, id, enricher);
        this.#accountsOf(input).records++;
      },
      window: (window: OpenWindow) => {
        records.appendWindow(window);
        this.#accountsOf(window.owner.input).records++;
      },
      summary: (json: string) => records.append(json),
    };
    this.#pipeline = new Pipeline(config, out, surroundings);
    for (const [name, format] of formats) {
      const accounts = this.#accountsOf(name);
      const refused = (reason: string, bytes: Buffer, start: number, end: number, nowMs: number) =>
        surroundings.refusedLines?.add(name, reason, bytes, start, end, nowMs);
      this.#lanes.set(name, new Lane(format, this.#pipeline.input(name), accounts, records, refused));
    }
  }

  /** The accounts by input; also of inputs that the configuration no longer has, while their windows close. */
  get accounts(): ReadonlyMap<string, Accounts> {
    return this.#accounts;
  }

  /** Windows that are open now. */
  get openWindows(): number {
    return this.#pipeline.open;
  }

  /** Where an input's lines go. @param nowMs the time of reading */
  lane(input: string, nowMs: number): LineHandler {
    const lane = this.#lanes.get(input)!;
    lane.nowUs = nowMs * 1000;
    return lane;
  }

  /** An input has been read to its end: the clock may close its windows. */
  quiet(input: string, nowMs: number): void {
    this.#lanes.get(input)!.closeQuiet(nowMs * 1000);
  }

  /** Every input has been read to its end. */
  allQuiet(nowMs: number): void {
    this.#pipeline.closeQuiet(nowMs * 1000);
  }

  /** Closes every window, as if time had passed. */
  closeAll(): void {
    this.#pipeline.closeAll();
  }

  takeChanges(): IntakeChanges {
    const values = this.#pipeline.save();
    for (const [name, { format }] of this.#lanes) {
      const state = format.save();
      if (state !== undefined) values.push([FORMAT_VALUE + name, JSON.stringify(state)]);
    }
    return { windows: this.#pipeline.takeChanges(), values };
  }

  /** Goes on from what was committed last; to be called before any line. */
  restore({ windows, values }: SavedState): void {
    this.#pipeline.restore(windows, values);
    for (const [input, open] of this.#pipeline.openByInput()) {
      const accounts = this.#accountsOf(input);
      if (!this.#goesOn) accounts.restored = open;
    }
    for (const [name, { format }] of this.#lanes) {
      const state = values.get(FORMAT_VALUE + name);
      if (state !== undefined) format.restore(JSON.parse(state));
    }
  }

  #accountsOf(input: string): Accounts {
    let accounts = this.#accounts.get(input);
    if (accounts === undefined) {
      accounts = new Accounts();
      this.#accounts.set(input, accounts);
    }
    return accounts;
  }
}

type ShowRefused = (reason: string, bytes: Buffer, start: number, end: number, nowMs: number) => void;

/** One input's lines on their way into the pipeline. */
class Lane implements LineHandler {
  readonly accounts: Accounts;
  readonly format: Format;
  readonly #pipeline: InputPipeline;
  readonly #records: RecordBuffer;
  readonly #refused: ShowRefused;
  /** Not a number at first: then it is kept as an object, and none is made of it for each line. */
  nowUs!: number;
  // The line under way, for its id: asked for only if it makes a record.
  #file!: InputFile;
  #bytes!: Buffer;
  #start = 0;
  #end = 0;
  #offset = 0;
  readonly #id = () => this.#file.recordId(this.#bytes, this.#start, this.#end, this.#offset);

  constructor(
    format: Format,
    pipeline: InputPipeline,
    accounts: Accounts,
    records: RecordBuffer,
    refused: ShowRefused,
  ) {
    this.#refused = refused;
    this.format = format;
    this.accounts = accounts;
    this.#pipeline = pipeline;
    this.#records = records;
  }

  line(file: InputFile, bytes: Buffer, start: number, end: number, offset: number): void {
    // Mostly the same as before: comparing costs less than telling the collector of a change.
    if (this.#file !== file) this.#file = file;
    if (this.#bytes !== bytes) this.#bytes = bytes;
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
      case 'merged':
        this.accounts.merged++;
        break;
      case 'log':
        this.#log(line);
        break;
      case 'foreign':
        this.accounts.foreign++;
        break;
      case 'unparsable':
        this.accounts.unparsable.add(line.reason);
        this.#refused(line.reason, bytes, start, end, this.nowUs / 1000);
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
    this.#pipeline.closeQuiet(nowUs);
  }

  #flow(line: FlowLine): void {
    const { accounts } = this;
    const became = this.#pipeline.process(line, this.#id);
    if (became === MERGED) accounts.merged++;
    else if (became.kind === 'filtered') accounts.filtered.add(became.reason);
    else if (became.kind === 'dropped') accounts.dropped.add(became.reason);
    // A line that opened a window is counted with the record that the window becomes.
  }

  #log(line: LogLine): void {
    this.accounts.records++;
    this.#records.append(JSON.stringify(line.toRecord(this.#id().toString('latin1'))));
  }
}
