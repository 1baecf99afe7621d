import { createSink } from '../../../sinks/index.ts';
import type { Outcome } from '../../../sinks/sink.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { batchOfRecords } from '../../sinks/outgoing.ts';
import { flowRecord } from '../../sinks/records.ts';

export const MINUTE_MS = 60_000;

/** Sends records as a sink of this configuration would. */
export async function send(records: readonly object[], config: Record<string, unknown>): Promise<Outcome> {
  const sink = await createSink(configure(config), { warn() {}, stop() {} });
  await sink.open?.();
  try {
    return await sink.send(batchOfRecords(records), new AbortController().signal);
  } finally {
    await sink.close();
  }
}

/** Records of the last hour, of which every third is allowed. */
export function recent(count: number) {
  return Array.from({ length: count }, (_, n) => ({
    ...flowRecord(n),
    id: `recent-${n}`,
    timestamp: new Date(Date.now() - n * MINUTE_MS).toISOString(),
  }));
}
