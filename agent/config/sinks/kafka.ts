import * as z from 'zod/mini';
import { batchSchema, commonSinkKeys, deliveryKeys, tlsSchema } from './common.ts';
import { textEncoding } from './encoding.ts';

const topic = () =>
  z.string().check(z.regex(/^[\w.-]{1,249}$/, "a topic's name: letters, digits, dots, _ and -, at most 249"));

export const kafkaSinkSchema = z.strictObject({
  type: z.literal('kafka').check(z.describe('Records as messages in Apache Kafka.')),
  ...commonSinkKeys,
  bootstrap_servers: z
    .array(z.string().check(z.regex(/^(\[[0-9a-fA-F:]+\]|[^\s:,]+):\d{1,5}$/, 'HOST:PORT')))
    .check(z.minLength(1), z.describe('Brokers to begin with, each HOST:PORT; they name the others.')),
  topic: topic().check(z.describe('Topic of the messages.')),
  topics: z
    .prefault(z.record(z.string(), topic()), {})
    .check(z.describe('Other topics, by log type; flow records have `flow`.')),
  key: z
    .prefault(z.enum(['node', 'connection', 'none']), 'node')
    .check(
      z.describe(
        "The messages' key, which decides the partition and so what is in order: the node; the connection's addresses, destination port and protocol; or none.",
      ),
    ),
  compression: z
    .prefault(z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']), 'none')
    .check(z.describe('How batches are packed.')),
  client_id: z
    .prefault(z.string().check(z.regex(/^\S+$/, 'a name without spaces')), 'policy-log-agent')
    .check(z.describe("The agent's name in the brokers' logs and quotas.")),
  sasl: z
    .optional(
      z.strictObject({
        mechanism: z
          .prefault(z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']), 'SCRAM-SHA-512')
          .check(z.describe('PLAIN sends the password as it is: only with TLS.')),
        username: z.string().check(z.minLength(1), z.describe('User.')),
        password: z.string().check(z.minLength(1), z.describe('Password.')),
      }),
    )
    .check(z.describe('Authentication by SASL.')),
  encoding: textEncoding,
  tls: tlsSchema.check(z.describe('TLS; an empty mapping turns it on with the usual certificates.')),
  ...deliveryKeys,
  batch: batchSchema({ records: 1000, bytes: '768KiB', age: '0ms' }),
});
export type KafkaSinkOptions = z.infer<typeof kafkaSinkSchema>;
