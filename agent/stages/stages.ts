import type { FlowLine } from '../../parsers/line.ts';
import type { Disposition, FlowRecord } from '../../parsers/record.ts';
import type { AggregateConfig, Config } from '../config/schema.ts';
import type { WindowRow } from '../outbox/types.ts';
import { Aggregate, type OpenKeys } from './aggregate.ts';
import { Limit } from './limit.ts';
import { DROPPED, FILTERED, type LineClass, MERGED, OPENED, RECORDED } from './line-class.ts';
import { mergeKeyOf } from './merge-key.ts';
import { OpenWindow } from './open-window.ts';
import { Select } from './select.ts';

export type StagesConfig = Pick<Config, 'select' | 'limit' | 'aggregate' | 'enrich'>;

/** Where the stages' results go, as JSON without a newline. */
export interface StagesOutput {
  record(json: string): void;
}

/**
 * A node's stages in their order: merge, enrich, select, merge, key cap, limit, window. What the inputs share is
 * here (limit, key cap); each input has windows of its own.
 *
 * Everything is synchronous, and time is an argument. What is in here between two lines is what `takeChanges`
 * and `save` have given so far: stored together with the input's offsets, it makes `restore` go on exactly.
 */
export class Stages {
  readonly #config: StagesConfig;
  readonly #out: StagesOutput;
  readonly #select: Select;
  readonly #limit: Limit;
  readonly #keys: OpenKeys = { open: 0, nextOrder: 0 };
  readonly #inputs = new Map<string, InputStages>();
  readonly #keyOf: (record: FlowRecord) => string;

  constructor(config: StagesConfig, out: StagesOutput) {
    this.#config = config;
    this.#out = out;
    this.#select = new Select(config.select);
    this.#limit = new Limit(config.limit);
    this.#keyOf = mergeKeyOf(config.aggregate.key);
  }

  /** The stages of one input; the same object for the same name. */
  input(name: string): InputStages {
    let input = this.#inputs.get(name);
    if (input === undefined) {
      input = this.#newInput(name);
      this.#inputs.set(name, input);
    }
    return input;
  }

  /** Windows that are open: lines that are still to become a record. */
  get open(): number {
    return this.#keys.open;
  }

  /** What changed in the windows since the last call. */
  takeChanges(): { put: WindowRow[]; delete: string[] } {
    const [put, gone]: [WindowRow[], string[]] = [[], []];
    for (const { windows } of this.#inputs.values()) windows.takeChanges(put, gone);
    return { put, delete: gone };
  }

  /** States beside the windows, by name, as JSON. */
  save(): [name: string, json: string][] {
    return [['limit', JSON.stringify(this.#limit.save())]];
  }

  /** Goes on from what was stored. To be called before any line. */
  restore(rows: readonly WindowRow[], values: ReadonlyMap<string, string>): void {
    const limit = values.get('limit');
    if (limit !== undefined) this.#limit.restore(JSON.parse(limit));
    const windows = rows.map((row) => OpenWindow.fromRow(row, this.#keyOf));
    windows.sort((one, other) => one.order - other.order);
    for (const window of windows) this.input(window.input).windows.restore(window);
  }

  #newInput(name: string): InputStages {
    const { aggregate } = this.#config;
    const options = {
      windowUs: aggregate.window * 1000,
      graceUs: aggregate.grace * 1000,
      srcPortsMax: aggregate.src_ports_max,
      keysMax: aggregate.keys_max,
      mergesBlindly: mergesBlindly(aggregate),
    };
    const windows = new Aggregate(name, options, this.#keys, (json) => this.#out.record(json));
    const dispositions = new Set(aggregate.dispositions);
    return new InputStages(windows, this.#select, this.#limit, this.#keyOf, dispositions, this.#out);
  }
}

/** One input's way through the stages. */
export class InputStages {
  readonly windows: Aggregate;
  readonly #select: Select;
  readonly #limit: Limit;
  readonly #keyOf: (record: FlowRecord) => string;
  readonly #merged: ReadonlySet<Disposition>;
  readonly #out: StagesOutput;

  constructor(
    windows: Aggregate,
    select: Select,
    limit: Limit,
    keyOf: (record: FlowRecord) => string,
    merged: ReadonlySet<Disposition>,
    out: StagesOutput,
  ) {
    this.windows = windows;
    this.#select = select;
    this.#limit = limit;
    this.#keyOf = keyOf;
    this.#merged = merged;
    this.#out = out;
  }

  /** @param id gives the id of the record that this line makes; asked only if it makes one */
  process(line: FlowLine, id: () => string): LineClass {
    const { windows } = this;
    windows.advance(line.timeUs);
    if (windows.merge(line)) return MERGED;

    const record = line.toRecord(id());
    const refusal = this.#select.refuse(record);
    if (refusal !== undefined) return FILTERED[refusal];

    if (!this.#merged.has(record.disposition)) {
      if (!this.#limit.take(line.timeUs, record.connection.src_ip)) return DROPPED.rate_limit;
      this.#out.record(JSON.stringify(record));
      return RECORDED;
    }
    const key = this.#keyOf(record);
    if (windows.mergeByKey(line, key)) return MERGED;
    if (windows.isFull) return DROPPED.aggregation_limit;
    if (!this.#limit.take(line.timeUs, record.connection.src_ip)) return DROPPED.rate_limit;
    windows.open(line, key, record);
    return OPENED;
  }
}

/**
 * Whether a raw key alone may decide that a line merges: it holds everything that a decision can look at but
 * the source port, the time and the counters.
 */
function mergesBlindly(aggregate: AggregateConfig): boolean {
  return !aggregate.key.includes('src_port');
}
