import * as z from 'zod/mini';
import { batchSchema, commonSinkKeys, deliveryKeys, tlsSchema } from './common.ts';
import { textEncoding } from './encoding.ts';

export const httpSinkSchema = z.strictObject({
  type: z.literal('http').check(z.describe('Records in the body of HTTP requests.')),
  ...commonSinkKeys,
  url: z.url({ protocol: /^https?$/, error: 'an http or https URL' }).check(z.describe('Where requests go.')),
  method: z.prefault(z.enum(['POST', 'PUT']), 'POST').check(z.describe('Method of the requests.')),
  encoding: textEncoding,
  framing: z
    .prefault(z.enum(['newline_delimited', 'json_array']), 'newline_delimited')
    .check(z.describe('One record a line, or one JSON array.')),
  compression: z
    .prefault(z.enum(['none', 'gzip', 'zstd']), 'none')
    .check(z.describe('How the body is packed.')),
  headers: z
    .prefault(z.record(z.string(), z.string()), {})
    .check(z.describe('Further request headers; a secret comes from a variable or a file.')),
  tls: tlsSchema,
  ...deliveryKeys,
  batch: batchSchema({ records: 1000, bytes: '1MiB', age: '0ms' }),
});
export type HttpSinkOptions = z.infer<typeof httpSinkSchema>;
