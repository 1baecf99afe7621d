import * as z from 'zod/mini';
import { aggregateSchema, enrichSchema, limitSchema, selectSchema } from '../../agent/config/schema.ts';
import { Pipeline, type PipelineConfig, type PipelineSurroundings } from '../../agent/pipeline.ts';
import type { LineClass } from '../../agent/stages/line-class.ts';
import type { FlowRecord, SummaryRecord } from '../../parsers/record.ts';
import { type Flow, FlowView } from './model-flow.ts';
import { windowJson } from './window-json.ts';

/** Parts of the stages' configuration, as they are written in the file. */
export interface WrittenConfig {
  select?: unknown;
  limit?: unknown;
  aggregate?: unknown;
  enrich?: unknown;
}

const schema = z.strictObject({
  select: z.prefault(selectSchema, {}),
  limit: z.prefault(limitSchema, {}),
  aggregate: z.prefault(aggregateSchema, {}),
  enrich: z.prefault(enrichSchema, {}),
});

export function stagesConfig(written: WrittenConfig = {}): PipelineConfig {
  return schema.parse(written);
}

/** Name of a line's class, with its reason. */
export function className(line: LineClass): string {
  return 'reason' in line ? `${line.kind} ${line.reason}` : line.kind;
}

/**
 * The pipeline with everything that comes out of them, and the accounts of what went in. `accountsClose` holds them to it:
 * every line is in one class, and every line that opened a window is a record or still open.
 */
export class StagesRun {
  readonly records: FlowRecord[] = [];
  readonly summaries: SummaryRecord[] = [];
  readonly classes: string[] = [];
  readonly view = new FlowView();
  readonly stages: Pipeline;
  readonly #tally = new Map<string, number>();
  #lines = 0;
  #restored = 0;

  constructor(written: WrittenConfig = {}, surroundings: PipelineSurroundings = {}) {
    this.stages = new Pipeline(
      stagesConfig(written),
      {
        record: (json) => this.records.push(JSON.parse(json)),
        window: (window) => this.records.push(JSON.parse(windowJson(window))),
        line: (line, id, enricher) => {
          const record = line.toRecord(id.toString());
          enricher.enrich(record, line.timeUs);
          this.records.push(record);
        },
        summary: (json) => this.summaries.push(JSON.parse(json)),
      },
      surroundings,
    );
  }

  /** @param id of the record; the number of the line without it */
  line(flow: Flow, input = 'syslog', id = `line-${this.#lines}`): string {
    const name = className(this.stages.input(input).process(this.view.of(flow), () => Buffer.from(id)));
    this.#lines += 1;
    this.#tally.set(name, (this.#tally.get(name) ?? 0) + 1);
    this.classes.push(name);
    return name;
  }

  restore(rows: Parameters<Pipeline['restore']>[0], values: Parameters<Pipeline['restore']>[1]): void {
    this.stages.restore(rows, values);
    this.#restored = this.stages.open;
  }

  count(name: string): number {
    return this.#tally.get(name) ?? 0;
  }

  /** Lines that are in no class, or records that no line accounts for; 0 in each where the accounts close. */
  get gap(): { lines: number; records: number } {
    let classed = 0;
    for (const lines of this.#tally.values()) classed += lines;
    const openedOrRecorded = this.count('opened') + this.count('recorded') + this.#restored;
    return {
      lines: this.#lines - classed,
      records: openedOrRecorded - this.stages.open - this.records.length,
    };
  }
}
