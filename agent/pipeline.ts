import type { Enricher, FlowLine } from '../parsers/line.ts';
import { DISPOSITIONS, type Disposition, type FlowRecord, type MergeFields } from '../parsers/record.ts';
import type { Config } from './config/schema.ts';
import type { WindowRow } from './outbox/types.ts';
import { Aggregate, type OpenKeys } from './stages/aggregate.ts';
import { coarseKey, coarsen } from './stages/coarsen.ts';
import { Enrich, type Holds, type Identity, isNamed } from './stages/enrich.ts';
import { Limit } from './stages/limit.ts';
import {
  DROPPED,
  type DropReason,
  FILTERED,
  type LineClass,
  MERGED,
  OPENED,
  RECORDED,
} from './stages/line-class.ts';
import { mergeKeyOf } from './stages/merge-key.ts';
import { mergesBlindly } from './stages/merges-blindly.ts';
import { headOf, OpenWindow } from './stages/open-window.ts';
import { type Annotations, Select } from './stages/select.ts';
import { Summarize } from './stages/summarize.ts';

export type PipelineConfig = Pick<Config, 'select' | 'limit' | 'aggregate' | 'enrich'>;

/** What the stages know of where they run. */
export interface PipelineSurroundings {
  /** For summaries: other records have it from their source. */
  readonly nodeName?: string | undefined;
  /** Without them `delegate` keeps nothing. */
  readonly annotations?: Annotations | undefined;
  /** Without it addresses get no names. */
  readonly identity?: Identity | undefined;
  /** Told of every denied connection that makes a record or opens a window. */
  readonly denied?: ((record: FlowRecord) => void) | undefined;
}

/** Where the stages' results go, as JSON without a newline. */
export interface PipelineOutput {
  /** @param input the input that the record is of */
  record(json: string, input: string): void;
  /** The record of a window that closes, which writes it; afterwards it no longer can. */
  window(window: OpenWindow): void;
  /** A record that nothing but its line has a part in: it may be written straight from the line's bytes. */
  line(line: FlowLine, id: Buffer, enricher: Enricher, input: string): void;
  /** A record about what was dropped, outside the accounts. */
  summary(json: string): void;
}

/**
 * Every stage that a connection meets, in order, for all inputs of a node:
 *
 *     merge into an open window ─▶ enrich ─▶ select ─▶ aggregate ─▶ limit ─▶ record, or a new window
 *
 * Here is what the inputs share: selection, key cap, limit, summary; each input has windows of its own.
 *
 * - Everything is synchronous, and time is an argument.
 * - Every line is in one class: `process` says which. A line that opens a window is a record once that closes.
 * - Between two lines everything that must outlive the process is in `takeChanges` and `save`; committed together
 *   with the inputs' offsets, it makes `restore` go on exactly there.
 */
export class Pipeline {
  readonly #config: PipelineConfig;
  readonly #out: PipelineOutput;
  readonly #shared: Shared;
  readonly #keys: OpenKeys = { open: 0, nextOrder: 0 };
  readonly #inputs = new Map<string, InputPipeline>();

  constructor(
    config: PipelineConfig,
    out: PipelineOutput,
    { nodeName, annotations, identity, denied }: PipelineSurroundings = {},
  ) {
    const { select, aggregate, limit, enrich } = config;
    const connectionKeyOf = mergeKeyOf(aggregate.key);
    this.#config = config;
    this.#out = out;
    this.#shared = {
      enrich: new Enrich(enrich, identity),
      select: new Select(select, annotations),
      limit: new Limit(limit),
      summarize: new Summarize(nodeName, (json) => out.summary(json)),
      merged: new Set(aggregate.dispositions),
      level: aggregate.level,
      connectionKeyOf,
      keyOf: aggregate.level === 'connection' ? connectionKeyOf : coarseKey,
      mergesBlindly: mergesBlindly(select, aggregate),
      readsSource: limit.share_max < 1,
      denied,
    };
  }

  /** The stages of one input; the same object for the same name. */
  input(name: string): InputPipeline {
    let input = this.#inputs.get(name);
    if (input === undefined) {
      input = new InputPipeline(name, this.#newWindows(name), this.#shared, this.#out);
      this.#inputs.set(name, input);
    }
    return input;
  }

  /** Windows that are open: lines that are still to become a record. */
  get open(): number {
    return this.#keys.open;
  }

  /** Windows that are open, by input. */
  openByInput(): Map<string, number> {
    return new Map(Array.from(this.#inputs, ([name, { windows }]) => [name, windows.size]));
  }

  /**
   * To be called when every input has been read to its end: closes by the clock the windows of all inputs, also of
   * those that the configuration no longer has, and the summary.
   */
  closeQuiet(nowUs: number): void {
    for (const { windows } of this.#inputs.values()) windows.closeQuiet(nowUs);
    this.#shared.summarize.closeQuiet(nowUs);
  }

  /** Makes records of all that is open, in order of opening over all inputs, and a summary of what was dropped. */
  closeAll(): void {
    const all = [...this.#inputs.values()].flatMap(({ windows }) =>
      windows.opened().map((window) => ({ windows, window })),
    );
    all.sort((one, other) => one.window.order - other.window.order);
    for (const { windows, window } of all) windows.close(window);
    this.#shared.summarize.close();
  }

  /** What changed in the windows since the last call. */
  takeChanges(): { put: WindowRow[]; delete: number[] } {
    const [put, gone]: [WindowRow[], number[]] = [[], []];
    for (const { windows } of this.#inputs.values()) windows.takeChanges(put, gone);
    return { put, delete: gone };
  }

  /** States beside the windows, by name, as JSON. */
  save(): [name: string, json: string][] {
    const { limit, summarize } = this.#shared;
    return [
      ['limit', JSON.stringify(limit.save())],
      ['summary', JSON.stringify(summarize.save())],
    ];
  }

  /**
   * Goes on from what was stored; to be called before any line. Windows that the configuration would make
   * otherwise now stay as they are until they close, and take no more lines.
   */
  restore(rows: readonly WindowRow[], values: ReadonlyMap<string, string>): void {
    const { limit, summarize } = this.#shared;
    const [savedLimit, savedSummary] = [values.get('limit'), values.get('summary')];
    if (savedLimit !== undefined) limit.restore(JSON.parse(savedLimit));
    if (savedSummary !== undefined) summarize.restore(JSON.parse(savedSummary));
    const keyOf = (record: FlowRecord) => this.#restoredKey(record);
    const ownerOf = (input: string) => this.input(input).windows;
    const windows = rows.map((row) => OpenWindow.fromRow(row, keyOf, ownerOf));
    windows.sort((one, other) => one.order - other.order);
    for (const window of windows) this.input(window.owner.input).windows.restore(window);
  }

  #restoredKey(record: FlowRecord): string {
    const { level, keyOf } = this.#shared;
    // For how long an address was whose it was is not known any more.
    const isOfThisLevel =
      level === 'connection'
        ? record.src.resolved_by !== 'ip' && record.dest.resolved_by !== 'ip'
        : JSON.stringify(coarsen(record, level)) === JSON.stringify(record);
    return isOfThisLevel ? keyOf(record) : `restored ${record.id}`;
  }

  #newWindows(input: string): Aggregate {
    const { aggregate } = this.#config;
    const options = {
      windowUs: aggregate.window * 1000,
      graceUs: aggregate.grace * 1000,
      srcPortsMax: aggregate.level === 'connection' ? aggregate.src_ports_max : 0,
      keysMax: aggregate.keys_max,
      // At other levels keys are made of names, which come and go.
      hasFixedKeys: aggregate.level === 'connection',
    };
    return new Aggregate(input, options, this.#keys, (window) => this.#out.window(window));
  }
}

interface Shared {
  readonly enrich: Enrich;
  readonly select: Select;
  readonly limit: Limit;
  readonly summarize: Summarize;
  /** Dispositions that are merged. */
  readonly merged: ReadonlySet<Disposition>;
  readonly level: Config['aggregate']['level'];
  /** The merge key at the level of connections, and the one of the level that is configured. */
  readonly connectionKeyOf: (of: MergeFields) => string;
  readonly keyOf: (record: FlowRecord) => string;
  readonly mergesBlindly: boolean;
  /** Whether the limit asks for the source's address. */
  readonly readsSource: boolean;
  readonly denied: PipelineSurroundings['denied'];
}

/** One input's connections on their way through the stages. */
export class InputPipeline {
  /** For `Pipeline`. */
  readonly windows: Aggregate;
  readonly #shared: Shared;
  readonly #out: PipelineOutput;
  readonly #name: string;
  /** Dispositions whose lines become records without anybody looking at them. */
  readonly #unseen: ReadonlySet<Disposition>;
  /** Dispositions of which a line opens a window without anybody looking at it. */
  readonly #opensUnseen: ReadonlySet<Disposition>;

  constructor(name: string, windows: Aggregate, shared: Shared, out: PipelineOutput) {
    this.#name = name;
    this.windows = windows;
    this.#shared = shared;
    this.#out = out;
    const isUnseen = !shared.select.looksAtRecords && !shared.readsSource;
    const isDenialSeen = shared.enrich.looksAtDenials || shared.denied !== undefined;
    const unseen = DISPOSITIONS.filter((one) => isUnseen && (one === 'allow' || !isDenialSeen));
    this.#unseen = new Set(unseen.filter((one) => !shared.merged.has(one)));
    const isKeyEnough = shared.level === 'connection' && shared.mergesBlindly;
    const isMerged = (one: Disposition) =>
      shared.merged.has(one) && shared.select.refuseDisposition(one) === undefined;
    this.#opensUnseen = new Set(unseen.filter((one) => isKeyEnough && isMerged(one)));
  }

  /**
   * Takes one line, and says what became of it.
   * @param id gives the id of the record that this line makes, in ASCII; asked only if it may make one
   */
  process(line: FlowLine, id: () => Buffer): LineClass {
    const { enrich, select, summarize, merged } = this.#shared;
    summarize.advance(line.timeUs);
    this.windows.advance(line.timeUs);
    if (this.#unseen.has(line.disposition)) return this.#pass(line, id);
    const window = this.windows.find(line);
    if (window !== undefined && this.windows.merge(line, window)) return MERGED;
    if (this.#opensUnseen.has(line.disposition) && line.writeOpening !== undefined) {
      return this.#mergeUnseen(line, window, id);
    }

    const record = line.toRecord(id().toString('latin1'));
    const holds = enrich.enrich(record, line.timeUs);
    const refusal = select.refuse(record);
    if (refusal !== undefined) return FILTERED[refusal];
    return merged.has(record.disposition) ? this.#aggregate(line, record, holds) : this.#emit(line, record);
  }

  /** To be called when the input has been read to its end: closes windows by the clock. */
  closeQuiet(nowUs: number): void {
    this.windows.closeQuiet(nowUs);
  }

  #aggregate(line: FlowLine, record: FlowRecord, holds: Holds | undefined): LineClass {
    const { level, keyOf, mergesBlindly } = this.#shared;
    const isCoarse = level !== 'connection';
    const shaped = isCoarse ? coarsen(record, level) : record;
    const window = this.windows.of(keyOf(shaped));
    // Names are not in the raw key, and a coarse key is made of names.
    const alias = mergesBlindly && !(isCoarse && (isNamed(record.src) || isNamed(record.dest)));
    if (this.windows.mergeByKey(line, window, alias)) return MERGED;
    const refusal = this.#refuseWindow(line, record.connection.src_ip);
    if (refusal !== undefined) return refusal;
    const next = this.windows.now(window);
    this.windows.heads.ofText(next.head, headOf(shaped));
    this.windows.open(line, next, alias, isCoarse ? undefined : holds);
    this.#tellDenied(record);
    return OPENED;
  }

  /** The same for a line that nobody has to look at. @param known the window of its raw key, where that is known */
  #mergeUnseen(line: FlowLine, known: OpenWindow | undefined, id: () => Buffer): LineClass {
    const { connectionKeyOf } = this.#shared;
    const window =
      known === undefined ? this.windows.of(connectionKeyOf(line.mergeFields!())) : this.windows.now(known);
    if (this.windows.mergeByKey(line, window, true)) return MERGED;
    const refusal = this.#refuseWindow(line, undefined);
    if (refusal !== undefined) return refusal;
    const holds = this.#shared.enrich.open(line, id(), this.windows.heads, window.head);
    this.windows.open(line, window, true, holds);
    return OPENED;
  }

  /** What becomes of a line for which no further window may open; undefined where one may. */
  #refuseWindow(line: FlowLine, source: string | undefined): LineClass | undefined {
    if (this.windows.isFull) return this.#drop(line, line.disposition, 'aggregation_limit');
    if (this.#shared.limit.take(line.timeUs, source)) return undefined;
    return this.#drop(line, line.disposition, 'rate_limit');
  }

  #emit(line: FlowLine, record: FlowRecord): LineClass {
    if (!this.#shared.limit.take(line.timeUs, record.connection.src_ip)) {
      return this.#drop(line, record.disposition, 'rate_limit');
    }
    this.#out.record(JSON.stringify(record), this.#name);
    this.#tellDenied(record);
    return RECORDED;
  }

  #tellDenied(record: FlowRecord): void {
    if (record.disposition === 'deny') this.#shared.denied?.(record);
  }

  /** The same for a line that nobody has to look at. */
  #pass(line: FlowLine, id: () => Buffer): LineClass {
    const { select, limit, enrich } = this.#shared;
    const refusal = select.refuseDisposition(line.disposition);
    if (refusal !== undefined) return FILTERED[refusal];
    if (!limit.take(line.timeUs, undefined)) return this.#drop(line, line.disposition, 'rate_limit');
    this.#out.line(line, id(), enrich, this.#name);
    return RECORDED;
  }

  #drop(line: FlowLine, disposition: Disposition, reason: DropReason): LineClass {
    this.#shared.summarize.add(line.timeUs, reason, disposition, line.count);
    return DROPPED[reason];
  }
}
