import * as z from 'zod/mini';
import { batchSchema, commonSinkKeys } from './common.ts';
import { textEncoding } from './encoding.ts';

export const stdoutSinkSchema = z.strictObject({
  type: z.literal('stdout').check(z.describe('Records on standard output, one JSON object a line.')),
  ...commonSinkKeys,
  encoding: textEncoding,
  batch: batchSchema({ records: 1000, bytes: '1MiB', age: '0ms' }),
});
export type StdoutSinkOptions = z.infer<typeof stdoutSinkSchema>;
