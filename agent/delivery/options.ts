import type { OutgoingRecord } from '../../sinks/sink.ts';
import type { SinkConfig } from '../config/schema.ts';
import { passOnly } from './only.ts';
import type { DeliveryOptions } from './types.ts';

/** For sinks that talk to no server, and so have no such keys. */
const LOCAL = { backoffMinMs: 1000, backoffMaxMs: 30_000, concurrency: 1 };

/**
 * A sink's delivery as its configuration has it.
 * @param passes the test for `include` and `exclude`; absent where they let everything pass
 */
export function toDeliveryOptions(
  sink: SinkConfig,
  passes?: (record: Record<string, unknown>) => boolean,
): DeliveryOptions {
  const only = passOnly(sink.only);
  const accept = both(only, passes && ((record: OutgoingRecord) => passes(record.value())));
  const { records_max: recordsMax, bytes_max: bytesMax, age_max: ageMaxMs } = sink.batch;
  return {
    name: sink.name,
    batch: { recordsMax, bytesMax, ageMaxMs },
    ...LOCAL,
    ...('retry' in sink && {
      concurrency: sink.concurrency,
      requestTimeoutMs: sink.request_timeout,
      backoffMinMs: sink.retry.backoff_min,
      backoffMaxMs: sink.retry.backoff_max,
    }),
    ...(accept && { accept }),
  };
}

type Test = (record: OutgoingRecord) => boolean;

function both(first: Test | undefined, second: Test | undefined): Test | undefined {
  if (first && second) return (record) => first(record) && second(record);
  return first ?? second;
}
