import type { SinkConfig } from '../config/schema.ts';
import { passOnly } from './only.ts';
import type { DeliveryOptions } from './types.ts';

/** Sinks that write to this machine have no retry keys; what fails there is tried again as elsewhere. */
const LOCAL_RETRY = { backoff_min: 1000, backoff_max: 30_000 };

/** How a sink is served, from the keys that every sink has. */
export function deliveryOptions(config: SinkConfig): DeliveryOptions {
  const { name, batch, only } = config;
  const remote = 'retry' in config ? config : undefined;
  const retry = remote?.retry ?? LOCAL_RETRY;
  const accept = passOnly(only);
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
