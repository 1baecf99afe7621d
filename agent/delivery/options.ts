import type { OutgoingRecord } from '../../sinks/sink.ts';
import type { SinkConfig } from '../config/schema.ts';
import { compileFilter } from '../stages/filter.ts';
import { passOnly } from './only.ts';
import type { DeliveryOptions } from './types.ts';

/** Sinks that write to this machine have no retry keys; what fails there is tried again as elsewhere. */
const LOCAL_RETRY = { backoff_min: 1000, backoff_max: 30_000 };

/** How a sink is served, from the keys that every sink has. */
export function deliveryOptions(config: SinkConfig): DeliveryOptions {
  const { name, batch } = config;
  const remote = 'retry' in config ? config : undefined;
  const retry = remote?.retry ?? LOCAL_RETRY;
  const accept = acceptOf(config);
  return {
    name,
    batch: { recordsMax: batch.records_max, bytesMax: batch.bytes_max, ageMaxMs: batch.age_max },
    concurrency: remote?.concurrency ?? 1,
    backoffMinMs: retry.backoff_min,
    backoffMaxMs: retry.backoff_max,
    ...(remote && { requestTimeoutMs: remote.request_timeout }),
    ...(accept && { accept }),
  };
}

/** Which records a sink gets; undefined where it gets all, so that none need be decoded. */
function acceptOf({ only, include, exclude }: SinkConfig): ((record: OutgoingRecord) => boolean) | undefined {
  const passes = passOnly(only);
  const [included, excluded] = [include?.map(compileFilter), exclude?.map(compileFilter)];
  if (passes === undefined && included === undefined && excluded === undefined) return undefined;
  return (record) => {
    if (passes !== undefined && !passes(record)) return false;
    if (included !== undefined && !included.some((filter) => filter(record.value()))) return false;
    return excluded === undefined || !excluded.some((filter) => filter(record.value()));
  };
}
