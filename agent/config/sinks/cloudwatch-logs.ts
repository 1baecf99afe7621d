import * as z from 'zod/mini';
import { awsKeys, hasWholeKey, WHOLE_KEY } from './aws.ts';
import { batchSchema, commonSinkKeys, deliveryKeys, tlsSchema } from './common.ts';
import { textEncoding } from './encoding.ts';

/** What CloudWatch Logs takes; 0 days, for ever, is what a group has by itself. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

export const cloudwatchLogsSinkSchema = z
  .strictObject({
    type: z.literal('cloudwatch_logs').check(z.describe('Records as events in Amazon CloudWatch Logs.')),
    ...commonSinkKeys,
    group_name: z
      .string()
      .check(
        z.regex(/^[\w./#-]{1,512}$/, 'at most 512 letters, digits and _-./#'),
        z.describe('The log group.'),
      ),
    stream_name: z
      .string()
      .check(
        z.regex(/^[^:*]{1,512}$/, 'at most 512 characters, without : and *'),
        z.describe('The log stream; one for each node, as `${NODE_NAME}`.'),
      ),
    ...awsKeys,
    encoding: textEncoding,
    create_missing_stream: z
      .prefault(z.boolean(), true)
      .check(z.describe('Whether to create the stream when it is not there.')),
    create_missing_group: z
      .prefault(z.boolean(), false)
      .check(z.describe('Whether to create the group when it is not there.')),
    retention_in_days: z
      .optional(z.literal(RETENTION_DAYS))
      .check(z.describe('How long a group that this sink creates keeps its events; default: for ever.')),
    tls: tlsSchema,
    ...deliveryKeys,
    batch: batchSchema({ records: 5000, bytes: '900KiB', age: '5s' }),
  })
  .check(
    z.refine(hasWholeKey, WHOLE_KEY),
    z.refine((sink) => !sink.create_missing_group || sink.create_missing_stream, {
      path: ['create_missing_group'],
      error: 'a new group has no stream: create_missing_stream must be true as well',
    }),
    z.refine((sink) => sink.retention_in_days === undefined || sink.create_missing_group, {
      path: ['retention_in_days'],
      error: 'belongs to create_missing_group: true',
    }),
  );
export type CloudwatchLogsSinkOptions = z.infer<typeof cloudwatchLogsSinkSchema>;
