import { RecordBatch } from '../../agent/delivery/batch.ts';
import type { Batch } from '../../sinks/sink.ts';

/** A batch of these records, as delivery makes it. */
export function batchOfRecords(records: readonly object[]): Batch {
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  return new RecordBatch([Buffer.from(lines.join(''))], records.length);
}
