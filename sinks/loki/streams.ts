import type { LokiSinkOptions } from '../../agent/config/sinks/loki.ts';
import { readPath } from '../../parsers/read-path.ts';
import { unixNanos } from '../record-time.ts';
import type { OutgoingRecord } from '../sink.ts';

type Fields = Record<string, unknown>;
type Labels = Record<string, string>;

/** A log line: nanoseconds, text, structured metadata. */
export type Entry = [nanos: string, line: string, metadata?: Labels];

/** One stream as the push API takes it; its entries stand in the order of the records. */
export interface Stream {
  readonly stream: Labels;
  readonly values: Entry[];
}

type Options = Pick<LokiSinkOptions, 'labels' | 'label_fields' | 'streams_max' | 'structured_metadata'>;

/**
 * Sorts records into streams. It remembers the sets of labels that it has made, at most `streams_max`: what Loki pays
 * for is their number. A record whose set would be one more goes to the stream that has the fixed labels alone, so
 * nothing is lost but a label.
 */
export class Streams {
  readonly #options: Options;
  readonly #metadata: readonly (readonly [name: string, path: readonly string[]])[];
  readonly #labels = new Map<string, Labels>();
  #rest: Labels | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#metadata = options.structured_metadata.map(
      (path) => [path.replaceAll(/[^a-zA-Z0-9_]/g, '_'), path.split('.')] as const,
    );
  }

  /** Whether a record came that would have needed one stream more. */
  get isFull(): boolean {
    return this.#rest !== undefined;
  }

  /** @param nowNanos the time of records that have none */
  of(records: readonly OutgoingRecord[], nowNanos: string): Stream[] {
    const streams = new Map<Labels, Stream>();
    for (const record of records) {
      const original = record.original();
      const labels = this.#labelsOf(original);
      const stream = streams.get(labels) ?? { stream: labels, values: [] };
      streams.set(labels, stream);
      const nanos = unixNanos(original.timestamp) ?? nowNanos;
      const line = record.json.toString();
      stream.values.push(
        this.#metadata.length > 0 ? [nanos, line, this.#metadataOf(record.value())] : [nanos, line],
      );
    }
    return [...streams.values()];
  }

  #labelsOf(record: Fields): Labels {
    const values = this.#options.label_fields.map((field) => FIELDS[field](record));
    const key = JSON.stringify(values);
    const known = this.#labels.get(key);
    if (known) return known;
    if (this.#labels.size >= this.#options.streams_max) {
      this.#rest ??= { ...this.#options.labels };
      return this.#rest;
    }
    const labels = { ...this.#options.labels };
    for (const [index, field] of this.#options.label_fields.entries()) {
      const value = values[index];
      if (typeof value === 'string' && value !== '') labels[field] = value;
    }
    this.#labels.set(key, labels);
    return labels;
  }

  /** From the record as it is sent: what a shape has dropped must not leave the node here. Of a list, the first. */
  #metadataOf(record: Fields): Labels {
    const metadata: Labels = {};
    for (const [name, path] of this.#metadata) {
      readPath(record, path, (value) => {
        if (typeof value === 'object') return false;
        metadata[name] = String(value);
        return true;
      });
    }
    return metadata;
  }
}

type LabelField = LokiSinkOptions['label_fields'][number];

const FIELDS: Record<LabelField, (record: Fields) => unknown> = {
  node: (record) => record.node_name,
  direction: directionOf,
  disposition: (record) => record.disposition,
  input: (record) => (record.source as Fields | undefined)?.input,
  log_type: (record) => record.log_type ?? 'flow',
  namespace: (record) => {
    const [guarded, other] = directionOf(record) === 'egress' ? ['src', 'dest'] : ['dest', 'src'];
    return namespaceOf(record[guarded!]) ?? namespaceOf(record[other!]);
  },
};

function directionOf(record: Fields): unknown {
  return (record.connection as Fields | undefined)?.direction;
}

function namespaceOf(end: unknown): unknown {
  return (end as Fields | undefined)?.namespace;
}
