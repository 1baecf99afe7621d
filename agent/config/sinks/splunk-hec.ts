import * as z from 'zod/mini';
import { count, duration } from '../units.ts';
import { batchSchema, commonSinkKeys, deliveryKeys, tlsSchema } from './common.ts';
import { jsonEncoding } from './encoding.ts';

export const splunkHecSinkSchema = z.strictObject({
  type: z
    .literal('splunk_hec')
    .check(z.describe("Records as events, through Splunk's HTTP Event Collector.")),
  ...commonSinkKeys,
  url: z
    .url({ protocol: /^https?$/, error: 'an http or https URL' })
    .check(z.describe("The collector's address, as `https://splunk:8088`.")),
  token: z.string().check(z.minLength(1), z.describe("The collector's token, from a variable or a file.")),
  index: z
    .optional(z.string().check(z.minLength(1)))
    .check(
      z.describe(
        "Splunk index, which the token must allow; `{log_type}` is the record's. Default: the token's.",
      ),
    ),
  source: z.prefault(z.string(), 'policy-log-agent').check(z.describe('`source` of the events.')),
  sourcetype: z
    .prefault(z.string(), 'policy_log_agent:{log_type}')
    .check(
      z.describe(
        "`sourcetype` of the events; `{log_type}` is the record's log type, `flow` for flow records.",
      ),
    ),
  fields: z
    .prefault(z.record(z.string().check(z.minLength(1)), z.string()), {})
    .check(z.describe('Indexed fields that every event has, as `cluster`.')),
  indexed_fields: z
    .prefault(z.array(z.string().check(z.minLength(1))), [])
    .check(
      z.describe(
        'Fields of the records to index as well, as `src.namespace`: quick to count with `tstats`, for more disk.',
      ),
    ),
  acknowledgement: z
    .prefault(
      z.strictObject({
        enabled: z
          .prefault(z.boolean(), true)
          .check(
            z.describe(
              'Whether events count as delivered when they are indexed, if the token has that switched on.',
            ),
          ),
        poll_interval: z
          .prefault(duration('100ms', '1m'), '1s')
          .check(z.describe('Pause before the first question; it doubles, to eight times that.')),
      }),
      {},
    )
    .check(z.describe("The indexers' acknowledgement.")),
  headers: z
    .prefault(z.record(z.string(), z.string()), {})
    .check(z.describe('Further request headers; a secret comes from a variable or a file.')),
  compression: z.prefault(z.enum(['none', 'gzip']), 'gzip').check(z.describe('How the body is packed.')),
  encoding: jsonEncoding,
  tls: tlsSchema,
  ...deliveryKeys,
  concurrency: z
    .prefault(count(1, 64), 8)
    .check(z.describe('Requests under way at once, those included that wait to be acknowledged.')),
  request_timeout: z
    .prefault(duration('100ms', '1h'), '3m')
    .check(z.describe('A request that is not answered, or not acknowledged, for so long is sent again.')),
  batch: batchSchema({ records: 2000, bytes: '512KiB', age: '1s' }),
});
export type SplunkHecSinkOptions = z.infer<typeof splunkHecSinkSchema>;
