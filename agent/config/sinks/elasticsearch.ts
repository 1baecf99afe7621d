import * as z from 'zod/mini';
import { count, duration, size } from '../units.ts';
import { authSchema } from './auth.ts';
import { batchSchema, commonSinkKeys, deliveryKeys, tlsSchema } from './common.ts';
import { jsonEncoding } from './encoding.ts';

const INDEX = /^[a-z0-9](?:[a-z0-9._+-]|\{log_type\}|%[YmdH])*$/;

/** Asked of the server, which knows days of any number; no timer of the agent waits so long. */
const RETENTION_MAX = '3650d';

const templateSchema = z.strictObject({
  shards: z
    .optional(count(1, 1024))
    .check(z.describe("Primary shards of an index; default: the server's own, 1.")),
  replicas: z
    .optional(count(0, 100))
    .check(z.describe("Copies of each shard besides the primary; default: the server's own, 1.")),
  retention: z
    .optional(duration('1h', RETENTION_MAX))
    .check(
      z.describe(
        'How long records are kept, with a lifecycle policy that is installed as well; default: for ever.',
      ),
    ),
  rollover: z
    .prefault(
      z.strictObject({
        age_max: z
          .prefault(duration('1h', RETENTION_MAX), '1d')
          .check(z.describe('A data stream begins a new index when the last one is so old,')),
        size_max: z
          .prefault(size('1MiB'), '30GiB')
          .check(z.describe('or when its largest primary shard is so large.')),
      }),
      {},
    )
    .check(
      z.describe(
        'With `retention`, in data streams: what is deleted together. Elasticsearch from 8.14 on decides it by itself.',
      ),
    ),
});
export type TemplateOptions = z.infer<typeof templateSchema>;

export const elasticsearchSinkSchema = z
  .strictObject({
    type: z
      .literal('elasticsearch')
      .check(z.describe('Records as documents in Elasticsearch or OpenSearch.')),
    ...commonSinkKeys,
    url: z
      .url({ protocol: /^https?$/, error: 'an http or https URL' })
      .check(z.describe("The server's address, with a path where a proxy wants one.")),
    mode: z
      .prefault(z.enum(['data_stream', 'index']), 'data_stream')
      .check(z.describe('Whether `index` names data streams or plain indices.')),
    index: z
      .prefault(
        z.string().check(
          z.maxLength(200),
          z.regex(INDEX, {
            error: 'lower-case letters, digits, . _ + - and the placeholders {log_type}, %Y, %m, %d, %H',
          }),
        ),
        'logs-network_policy.{log_type}-default',
      )
      .check(
        z.describe(
          "Where a record goes. `{log_type}` is the record's log type, `flow` for flow records; `%Y`, `%m`, `%d` and `%H` are its time in UTC, for plain indices.",
        ),
      ),
    pipeline: z
      .optional(z.string().check(z.minLength(1)))
      .check(z.describe('Ingest pipeline that the documents go through.')),
    api_key: z
      .optional(z.string().check(z.minLength(1)))
      .check(z.describe('API key, as `ID:KEY` or as Elasticsearch encodes it. Instead of `auth`.')),
    auth: authSchema,
    headers: z
      .prefault(z.record(z.string(), z.string()), {})
      .check(z.describe('Further request headers; a secret comes from a variable or a file.')),
    compression: z.prefault(z.enum(['none', 'gzip']), 'gzip').check(z.describe('How the body is packed.')),
    encoding: jsonEncoding,
    template: z
      .optional(templateSchema)
      .check(
        z.describe(
          'Installs an index template, so that addresses and times can be searched as such; `{}` for one with defaults. Without it nothing is installed.',
        ),
      ),
    tls: tlsSchema,
    ...deliveryKeys,
    batch: batchSchema({ records: 500, bytes: '2MiB', age: '1s' }),
  })
  .check(
    z.refine((sink) => sink.mode === 'index' || !sink.index.includes('%'), {
      path: ['index'],
      error: 'no dates in the name of a data stream, which rolls over by itself; or set mode: index',
    }),
    z.refine((sink) => sink.api_key === undefined || sink.auth === undefined, {
      path: ['api_key'],
      error: 'either api_key or auth',
    }),
  );
export type ElasticsearchSinkOptions = z.infer<typeof elasticsearchSinkSchema>;
