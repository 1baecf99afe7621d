import { RecordBatch } from '../../agent/delivery/batch.ts';
import type { Batch } from '../../sinks/sink.ts';

/** A batch as delivery makes it: records with these ids. */
export function batchOf(ids: readonly string[], padding = 0): Batch {
  const lines = ids.map(
    (id) => `${JSON.stringify({ id, ...(padding > 0 && { padding: 'x'.repeat(padding) }) })}\n`,
  );
  return new RecordBatch([Buffer.from(lines.join(''))], ids.length);
}

/** A batch whose records do not stand next to each other in memory. */
export function scatteredBatch(ids: readonly string[]): Batch {
  const batch = batchOf(ids.flatMap((id) => [id, 'left out'])) as RecordBatch;
  return batch.pick(ids.map((_, index) => index * 2));
}

export function numbered(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `r${first + n}`);
}
