import * as z from 'zod/mini';
import { DISPOSITIONS } from '../../parsers/record.ts';
import { filterSchema } from './filters.ts';
import { inputSchema } from './inputs.ts';
import { kubernetesSchema } from './kubernetes.ts';
import { prefixPattern } from './prefix-pattern.ts';
import { cloudwatchLogsSinkSchema } from './sinks/cloudwatch-logs.ts';
import { elasticsearchSinkSchema } from './sinks/elasticsearch.ts';
import { fileSinkSchema } from './sinks/file.ts';
import { googleCloudLoggingSinkSchema } from './sinks/google-cloud-logging.ts';
import { httpSinkSchema } from './sinks/http.ts';
import { kafkaSinkSchema } from './sinks/kafka.ts';
import { lokiSinkSchema } from './sinks/loki.ts';
import { otlpSinkSchema } from './sinks/otlp.ts';
import { s3SinkSchema } from './sinks/s3.ts';
import { splunkHecSinkSchema } from './sinks/splunk-hec.ts';
import { stdoutSinkSchema } from './sinks/stdout.ts';
import { syslogSinkSchema } from './sinks/syslog.ts';
import { count, duration, size } from './units.ts';

/**
 * The configuration, as one schema: the source of types, defaults, help, JSON Schema, the reference page and
 * the chart's values schema. Keys are snake_case, as in records; durations and sizes carry their unit.
 */

const verdict = () =>
  z.prefault(
    z.strictObject({
      log: z.prefault(z.boolean(), true).check(z.describe('Whether such records are kept at all.')),
      delegate: z
        .prefault(z.boolean(), false)
        .check(z.describe('Whether annotations in the cluster decide which of them. Needs `log`.')),
    }),
    {},
  );

export const dispositionRule = z
  .strictObject({
    prefix: z
      .optional(prefixPattern())
      .check(z.describe('Log prefix; literal, with `*`, or /regular expression/.')),
    policy: z.optional(z.string()).check(z.describe('Policy name, as NAMESPACE/NAME or NAME.')),
    disposition: z.enum(DISPOSITIONS).check(z.describe('What records of this prefix or policy say.')),
  })
  .check(
    z.describe('Gives records of a prefix or policy their disposition; the first rule that fits decides.'),
  );

export const selectSchema = z.strictObject({
  allow: verdict().check(z.describe('Records of allowed connections.')),
  deny: verdict().check(z.describe('Records of denied connections.')),
  dispositions: z
    .prefault(z.array(dispositionRule), [])
    .check(z.describe('What a Log rule means. Without a rule it means `unknown`.')),
  include: z
    .prefault(z.array(filterSchema), [])
    .check(z.describe('If not empty, only records that pass one of these.')),
  exclude: z.prefault(z.array(filterSchema), []).check(z.describe('No records that pass one of these.')),
});

export const limitSchema = z.strictObject({
  connections_per_second: z
    .prefault(count(0), 500)
    .check(z.describe('New records a second on this node; 0 for no limit. A retry that merges is free.')),
  burst: z.prefault(count(1), 500).check(z.describe('Records that may come at once.')),
  share_max: z
    .prefault(z.number().check(z.gt(0), z.lte(1)), 1)
    .check(z.describe('Largest share of the budget that one source address may take; 1 for no share limit.')),
});

const KEY_FIELDS = ['src_ip', 'src_port', 'dest_ip', 'dest_port', 'protocol', 'direction', 'prefix'] as const;

export const aggregateSchema = z.strictObject({
  level: z
    .prefault(z.enum(['connection', 'pod', 'workload']), 'connection')
    .check(z.describe('What one record stands for.')),
  window: z
    .prefault(duration('1ms', '10m'), '5s')
    .check(z.describe('Length of a window; it opens with the first connection and does not slide.')),
  keys_max: z
    .prefault(count(1, 1_000_000), 3000)
    .check(z.describe('Windows that may be open at once; a new key beyond is dropped and counted.')),
  dispositions: z
    .prefault(z.array(z.enum(DISPOSITIONS)), ['deny', 'unknown'])
    .check(z.describe('Which records are merged.')),
  key: z
    .prefault(z.array(z.enum(KEY_FIELDS)), ['src_ip', 'dest_ip', 'dest_port', 'protocol', 'direction'])
    .check(
      z.describe(
        "Fields that must be equal for two connections to merge, at level `connection`; besides disposition, input and node. Of fields left out the record has the first connection's values.",
      ),
    ),
  src_ports_max: z.prefault(count(0, 1000), 10).check(z.describe('Source ports kept on a merged record.')),
  grace: z
    .prefault(duration(), '2s')
    .check(z.describe("How long after a window's end the clock closes it when its input is quiet.")),
});

export const enrichSchema = z.strictObject({
  networks: z
    .prefault(
      z.array(
        z.strictObject({
          name: z.string().check(z.minLength(1), z.describe('What records say as `network`.')),
          cidrs: z
            .array(z.union([z.cidrv4(), z.cidrv6()]))
            .check(z.minLength(1), z.describe('Networks that have this name.')),
        }),
      ),
      [],
    )
    .check(
      z.describe('Names for address ranges outside the cluster; the longest match is given as `network`.'),
    ),
  kubernetes: z
    .prefault(kubernetesSchema, {})
    .check(z.describe('Names of pods, nodes and services, at the time of the event.')),
});

export const stateSchema = z.strictObject({
  path: z
    .prefault(z.string().check(z.startsWith('/', 'an absolute path')), '/var/lib/policy-log-agent')
    .check(z.describe('Folder of the state database.')),
  size_max: z
    .prefault(size('1MiB'), '512MiB')
    .check(z.describe('Most bytes of records that wait for delivery.')),
  when_full: z
    .prefault(z.enum(['block', 'drop_oldest']), 'block')
    .check(
      z.describe(
        'At that size: stop reading, so that the files are the buffer, or drop the oldest records, counted.',
      ),
    ),
});

export const sinkSchema = z.discriminatedUnion('type', [
  stdoutSinkSchema,
  fileSinkSchema,
  httpSinkSchema,
  lokiSinkSchema,
  otlpSinkSchema,
  googleCloudLoggingSinkSchema,
  elasticsearchSinkSchema,
  splunkHecSinkSchema,
  s3SinkSchema,
  syslogSinkSchema,
  cloudwatchLogsSinkSchema,
  kafkaSinkSchema,
]);

export const configSchema = z.strictObject({
  node: z
    .optional(z.string().check(z.minLength(1)))
    .check(z.describe("This node's name in records; default: the host's name.")),
  inputs: z.array(inputSchema).check(z.minLength(1), z.describe('Where lines come from.')),
  select: z.prefault(selectSchema, {}).check(z.describe('Which records are kept.')),
  limit: z.prefault(limitSchema, {}).check(z.describe('How many records this node may make.')),
  aggregate: z.prefault(aggregateSchema, {}).check(z.describe('How retries merge.')),
  enrich: z.prefault(enrichSchema, {}).check(z.describe('How addresses get names.')),
  state: z
    .prefault(stateSchema, {})
    .check(z.describe('Where offsets, windows and waiting records are kept.')),
  sinks: z.array(sinkSchema).check(z.minLength(1), z.describe('Where records go.')),
  http: z
    .prefault(
      z.strictObject({
        listen: z
          .prefault(
            z.string().check(z.regex(/^(\[[0-9a-fA-F:]+\]|[^:]+):\d{1,5}$/, 'ADDRESS:PORT')),
            '0.0.0.0:9660',
          )
          .check(z.describe('Address and port of /metrics, /healthz and /readyz; port 0 for any free one.')),
      }),
      {},
    )
    .check(z.describe('Metrics and health.')),
  reload: z
    .prefault(
      z.strictObject({
        events: z
          .prefault(z.boolean(), false)
          .check(
            z.describe(
              'Whether a changed configuration that is refused makes a Kubernetes Event of the pod that POD_NAME, POD_NAMESPACE and POD_UID name in the environment. The API server is asked as `enrich.kubernetes` says.',
            ),
          ),
      }),
      {},
    )
    .check(z.describe('What happens when the configuration changes.')),
  log: z
    .prefault(
      z.strictObject({
        level: z
          .prefault(z.enum(['trace', 'debug', 'info', 'warn', 'error']), 'info')
          .check(z.describe("Level of the agent's own log.")),
      }),
      {},
    )
    .check(z.describe("The agent's own log, JSON lines on standard error.")),
  shutdown_timeout: z
    .prefault(duration(), '10s')
    .check(z.describe("How long a stop may take to flush; shorter than the pod's grace period.")),
});

export type Config = z.infer<typeof configSchema>;
export type SelectConfig = z.infer<typeof selectSchema>;
export type EnrichConfig = z.infer<typeof enrichSchema>;
export type LimitConfig = z.infer<typeof limitSchema>;
export type AggregateConfig = z.infer<typeof aggregateSchema>;
export type StateConfig = z.infer<typeof stateSchema>;
export type SinkConfig = z.infer<typeof sinkSchema>;
