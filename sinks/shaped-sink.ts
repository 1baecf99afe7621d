import type { Batch, Outcome, OutgoingRecord, Sink } from './sink.ts';

/** What is sent for a record: an object as JSON, or one line of text. */
export type Shape = (record: Record<string, unknown>) => Record<string, unknown> | string;

/**
 * A sink whose records are written otherwise before it sees them. Their number and order stay, so what it answers
 * about a record is about the same one.
 */
export class ShapedSink implements Sink {
  readonly #sink: Sink;
  readonly #shape: Shape;

  constructor(sink: Sink, shape: Shape) {
    this.#sink = sink;
    this.#shape = shape;
  }

  async open(): Promise<void> {
    await this.#sink.open?.();
  }

  send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    return this.#sink.send(shaped(batch, this.#shape), signal);
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}

/** The same batch with its records written anew, one line behind the other in one piece of memory. */
function shaped(batch: Batch, shape: Shape): Batch {
  const values = batch.records.map((record) => shape(record.value()));
  const lines = values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`);
  const bytes = Buffer.from(lines.join(''));
  let at = 0;
  const records = values.map((value, index): OutgoingRecord => {
    const start = at;
    at += Buffer.byteLength(lines[index]!);
    const { originalJson } = batch.records[index]!;
    const original = () => batch.records[index]!.original();
    return {
      json: bytes.subarray(start, at - 1),
      value: typeof value === 'string' ? original : () => value,
      originalJson,
      original,
    };
  });
  return { count: records.length, bytes: bytes.length, records, ndjson: [bytes] };
}
