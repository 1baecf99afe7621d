import * as z from 'zod/mini';
import { count, size } from '../units.ts';
import { batchSchema, commonSinkKeys } from './common.ts';
import { textEncoding } from './encoding.ts';

export const fileSinkSchema = z.strictObject({
  type: z.literal('file').check(z.describe('Records in a file, one JSON object a line, rotated by size.')),
  ...commonSinkKeys,
  path: z
    .string()
    .check(z.startsWith('/', 'an absolute path'), z.describe('The file; rotated ones get `.1`, `.2`, …')),
  rotate: z
    .prefault(
      z.strictObject({
        size_max: z
          .prefault(size('64KiB'), '100MiB')
          .check(z.describe('The file is rotated before it grows beyond this.')),
        files_max: z.prefault(count(0, 1000), 5).check(z.describe('Rotated files to keep.')),
      }),
      {},
    )
    .check(z.describe('When the file makes room for a new one.')),
  fsync: z
    .prefault(z.boolean(), true)
    .check(z.describe('Whether a batch counts as delivered only when it is on the disk.')),
  encoding: textEncoding,
  batch: batchSchema({ records: 5000, bytes: '1MiB', age: '0ms' }),
});
export type FileSinkOptions = z.infer<typeof fileSinkSchema>;
