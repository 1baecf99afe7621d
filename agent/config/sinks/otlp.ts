import * as z from 'zod/mini';
import { authSchema } from './auth.ts';
import { batchSchema, commonSinkKeys, deliveryKeys, tlsSchema } from './common.ts';

export const otlpSinkSchema = z.strictObject({
  type: z.literal('otlp').check(z.describe('Records as OpenTelemetry logs, by OTLP over HTTP.')),
  ...commonSinkKeys,
  url: z
    .url({ protocol: /^https?$/, error: 'an http or https URL' })
    .check(z.describe("The receiver's address; `/v1/logs` is added where it is missing.")),
  protocol: z
    .prefault(z.enum(['http/protobuf', 'http/json']), 'http/protobuf')
    .check(z.describe('How requests are written.')),
  auth: authSchema,
  headers: z
    .prefault(z.record(z.string(), z.string()), {})
    .check(z.describe('Further request headers; a secret comes from a variable or a file.')),
  resource_attributes: z
    .prefault(z.record(z.string().check(z.minLength(1)), z.string()), {})
    .check(
      z.describe(
        'Attributes of the resource, as `k8s.cluster.name`; besides `service.name` and `k8s.node.name`, which it has.',
      ),
    ),
  compression: z.prefault(z.enum(['none', 'gzip']), 'gzip').check(z.describe('How the body is packed.')),
  tls: tlsSchema,
  ...deliveryKeys,
  batch: batchSchema({ records: 500, bytes: '512KiB', age: '1s' }),
});
export type OtlpSinkOptions = z.infer<typeof otlpSinkSchema>;
