import * as z from 'zod/mini';
import { count } from '../units.ts';
import { authSchema } from './auth.ts';
import { batchSchema, commonSinkKeys, deliveryKeys, tlsSchema } from './common.ts';
import { textEncoding } from './encoding.ts';

const LABEL_FIELDS = ['node', 'direction', 'disposition', 'input', 'log_type', 'namespace'] as const;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const lokiSinkSchema = z
  .strictObject({
    type: z.literal('loki').check(z.describe('Records as log lines in Grafana Loki.')),
    ...commonSinkKeys,
    url: z
      .url({ protocol: /^https?$/, error: 'an http or https URL' })
      .check(z.describe("Loki's address; `/loki/api/v1/push` is added where it is missing.")),
    tenant_id: z
      .optional(z.string().check(z.minLength(1)))
      .check(z.describe('Tenant, for `X-Scope-OrgID`; Loki with authentication wants one.')),
    auth: authSchema,
    headers: z
      .prefault(z.record(z.string(), z.string()), {})
      .check(z.describe('Further request headers; a secret comes from a variable or a file.')),
    encoding: textEncoding,
    labels: z
      .prefault(
        z.record(z.string().check(z.regex(LABEL_NAME, 'a label name: letters, digits, _')), z.string()),
        { job: 'policy-log-agent' },
      )
      .check(z.describe('Labels that every stream has.')),
    label_fields: z
      .prefault(z.array(z.enum(LABEL_FIELDS)), ['node', 'direction', 'disposition', 'input'])
      .check(
        z.describe(
          "What of a record becomes a label. `namespace` is that of the pod which the policy guards: the destination's for ingress, the source's for egress.",
        ),
      ),
    streams_max: z
      .prefault(count(1, 10_000), 100)
      .check(
        z.describe(
          'Most streams, that is sets of labels, that this node may make; records of further ones have `labels` alone.',
        ),
      ),
    structured_metadata: z
      .prefault(z.array(z.string().check(z.minLength(1))), [
        'connection.src_ip',
        'connection.dest_ip',
        'connection.dest_port',
        'connection.protocol',
        'src.namespace',
        'src.pod_name',
        'dest.namespace',
        'dest.pod_name',
      ])
      .check(
        z.describe(
          'Fields to search by without parsing lines, under the names that `| json` gives them, as `dest_pod_name`. They are those of what is sent: after `encoding` and `shape`.',
        ),
      ),
    compression: z.prefault(z.enum(['none', 'gzip']), 'gzip').check(z.describe('How the body is packed.')),
    tls: tlsSchema,
    ...deliveryKeys,
    batch: batchSchema({ records: 1000, bytes: '1MiB', age: '1s' }),
  })
  .check(
    z.refine((sink) => Object.keys(sink.labels).length > 0, {
      path: ['labels'],
      error: 'at least one label: Loki takes no stream without',
    }),
  );
export type LokiSinkOptions = z.infer<typeof lokiSinkSchema>;
