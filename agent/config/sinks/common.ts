import * as z from 'zod/mini';
import { DISPOSITIONS } from '../../../parsers/record.ts';
import { filterSchema } from '../filters.ts';
import { count, duration, size } from '../units.ts';

/** Keys that every sink has. Defaults of batch differ by sink: `batchSchema` takes them. */
export const commonSinkKeys = {
  name: z
    .string()
    .check(
      z.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes, at most 63'),
      z.describe('Name in metrics, logs and the state: a sink that is renamed starts anew.'),
    ),
  only: z
    .optional(
      z.strictObject({
        disposition: z
          .optional(z.array(z.enum(DISPOSITIONS)))
          .check(z.describe('Records of these dispositions.')),
        log_type: z
          .optional(z.array(z.string()))
          .check(z.describe('Records of these log types; flow records have `flow`.')),
      }),
    )
    .check(z.describe('Sends only these records to this sink.')),
  include: z
    .optional(z.array(filterSchema))
    .check(z.describe('Sends only records that pass one of these filters.')),
  exclude: z
    .optional(z.array(filterSchema))
    .check(z.describe('Does not send records that pass one of these filters.')),
  sample: z
    .optional(
      z.strictObject({
        allow: count(1, 1_000_000).check(z.describe('Sends one in so many records of allowed connections.')),
      }),
    )
    .check(z.describe('Sends a part of the records; which ones, their ids decide.')),
  shape: z
    .optional(
      z.strictObject({
        drop: z
          .prefault(z.array(z.string().check(z.minLength(1))), [])
          .check(z.describe('Fields to leave out.')),
        rename: z
          .prefault(z.record(z.string().check(z.minLength(1)), z.string().check(z.minLength(1))), {})
          .check(z.describe('New paths of fields, by the old ones.')),
      }),
    )
    .check(z.describe('Changes the records that this sink gets.')),
};

/**
 * How records are put together into one request.
 * @param ageMin shortest age that the sink makes sense with
 */
export function batchSchema(defaults: { records: number; bytes: string; age: string; ageMin?: string }) {
  return z
    .prefault(
      z.strictObject({
        records_max: z
          .prefault(count(1, 100_000), defaults.records)
          .check(z.describe('Most records in a request.')),
        bytes_max: z
          .prefault(size('1KiB', '256MiB'), defaults.bytes)
          .check(z.describe('Most bytes in a request, before compression.')),
        age_max: z
          .prefault(duration(defaults.ageMin), defaults.age)
          .check(z.describe('How long a record may wait for others.')),
      }),
      {},
    )
    .check(z.describe('How records are put together into one request.'));
}

/** How a sink that talks to a server retries. */
export const deliveryKeys = {
  concurrency: z
    .prefault(count(1, 64), 1)
    .check(z.describe('Requests under way at once. With more than 1 the order of arrival is not kept.')),
  request_timeout: z
    .prefault(duration('100ms', '1h'), '30s')
    .check(z.describe('A request that takes longer is given up and sent again.')),
  retry: z
    .prefault(
      z.strictObject({
        backoff_min: z
          .prefault(duration('10ms', '1h'), '1s')
          .check(z.describe('Pause before the first retry; it doubles, with full jitter.')),
        backoff_max: z
          .prefault(duration('100ms', '1h'), '30s')
          .check(z.describe('Longest pause between retries. Retries never end.')),
      }),
      {},
    )
    .check(z.describe('Pauses between tries.')),
};

const file = () => z.optional(z.string().check(z.startsWith('/', 'an absolute path')));

/** How a sink that speaks TLS knows its server, and makes itself known. */
export const tlsSchema = z
  .optional(
    z
      .strictObject({
        ca_file: file().check(z.describe('Certificates (PEM) to trust in place of the usual ones.')),
        cert_file: file().check(z.describe("The client's certificate (PEM), with its chain.")),
        key_file: file().check(z.describe('The key of that certificate (PEM).')),
        insecure_skip_verify: z
          .prefault(z.boolean(), false)
          .check(
            z.describe('Accepts any server certificate. Anyone on the way can read and change records.'),
          ),
      })
      .check(
        z.refine((tls) => (tls.cert_file === undefined) === (tls.key_file === undefined), {
          error: 'cert_file and key_file go together',
        }),
      ),
  )
  .check(z.describe('TLS, for https.'));
export type TlsOptions = z.infer<typeof tlsSchema>;
