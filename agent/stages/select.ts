import type { FlowRecord } from '../../parsers/record.ts';
import type { SelectConfig } from '../config/schema.ts';
import type { FilterReason } from './line-class.ts';

/** Which records are kept; GKE's NetworkLogging semantics. */
export class Select {
  readonly #config: SelectConfig;

  constructor(config: SelectConfig) {
    this.#config = config;
  }

  /** Why the record is refused; undefined where it is kept. */
  refuse(record: FlowRecord): FilterReason | undefined {
    const { disposition } = record;
    if (disposition === 'unknown') return undefined;
    return this.#config[disposition].log ? undefined : 'disposition';
  }
}
