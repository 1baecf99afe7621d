import * as z from 'zod/mini';
import { awsKeys, hasWholeKey, WHOLE_KEY } from './aws.ts';
import { batchSchema, commonSinkKeys, deliveryKeys, tlsSchema } from './common.ts';
import { jsonEncoding } from './encoding.ts';

export const s3SinkSchema = z
  .strictObject({
    type: z
      .literal('s3')
      .check(z.describe('Records as compressed objects in S3, or a store that is compatible with it.')),
    ...commonSinkKeys,
    bucket: z
      .string()
      .check(
        z.regex(/^[a-zA-Z0-9][\w.-]{1,253}[a-zA-Z0-9]$/, "a bucket's name"),
        z.describe('The bucket; it must be there.'),
      ),
    ...awsKeys,
    force_path_style: z
      .optional(z.boolean())
      .check(
        z.describe(
          "Whether the bucket stands in the path and not in the host's name. Default: with an `endpoint`, or a dot in the bucket's name.",
        ),
      ),
    key_prefix: z
      .prefault(
        z.string().check(z.regex(/^[^/].*\/$|^$/, 'empty, or a path like `logs/`')),
        'policy-log-agent/',
      )
      .check(z.describe('Beginning of every key, with its last `/`.')),
    cluster: z
      .optional(z.string().check(z.regex(/^[\w.-]+$/, 'letters, digits, dots, dashes, _')))
      .check(z.describe('Name of the cluster, for `cluster=…/` in the keys.')),
    encoding: jsonEncoding,
    compression: z
      .prefault(z.enum(['none', 'gzip', 'zstd']), 'gzip')
      .check(z.describe('How objects are packed.')),
    storage_class: z
      .optional(z.string().check(z.regex(/^[A-Z0-9_]+$/, "a storage class's name, as STANDARD_IA")))
      .check(z.describe("Storage class of the objects; default: the bucket's.")),
    acl: z
      .optional(z.string().check(z.regex(/^[a-z-]+$/, 'a canned ACL, as bucket-owner-full-control')))
      .check(z.describe('Canned ACL of the objects.')),
    server_side_encryption: z
      .optional(z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']))
      .check(z.describe('How the store encrypts the objects; default: as the bucket says.')),
    ssekms_key_id: z
      .optional(z.string().check(z.minLength(1)))
      .check(z.describe('Key for `aws:kms`; default: that of AWS for S3.')),
    bucket_key_enabled: z
      .optional(z.boolean())
      .check(
        z.describe('Whether one key of the bucket spares requests to KMS; default: as the bucket says.'),
      ),
    tls: tlsSchema,
    ...deliveryKeys,
    batch: batchSchema({ records: 100_000, bytes: '8MiB', age: '5m', ageMin: '10s' }),
  })
  .check(
    z.refine(hasWholeKey, WHOLE_KEY),
    z.refine((sink) => sink.ssekms_key_id === undefined || sink.server_side_encryption?.startsWith('aws:'), {
      path: ['ssekms_key_id'],
      error: 'belongs to server_side_encryption: aws:kms',
    }),
  );
export type S3SinkOptions = z.infer<typeof s3SinkSchema>;
