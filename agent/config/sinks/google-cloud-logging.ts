import * as z from 'zod/mini';
import { batchSchema, commonSinkKeys, deliveryKeys, tlsSchema } from './common.ts';

const optionalText = () => z.optional(z.string().check(z.minLength(1)));
const httpUrl = () => z.url({ protocol: /^https?$/, error: 'an http or https URL' });

export const googleCloudLoggingSinkSchema = z.strictObject({
  type: z
    .literal('google_cloud_logging')
    .check(z.describe("Records in Google Cloud Logging, as GKE's own policy logging writes them.")),
  ...commonSinkKeys,
  project_id: optionalText().check(
    z.describe("Project; default: the key file's, or the one that the metadata server names."),
  ),
  location: optionalText().check(
    z.describe("The cluster's zone or region, for the resource; default: from the metadata server."),
  ),
  cluster_name: optionalText().check(
    z.describe("The cluster's name, for the resource; default: from the metadata server."),
  ),
  log_id: z
    .prefault(z.string().check(z.regex(/^[\w/.-]{1,511}$/, 'letters, digits, / _ - .')), 'policy-action')
    .check(z.describe("Name of the log; GKE's own is `policy-action`.")),
  labels: z
    .prefault(z.record(z.string().check(z.minLength(1)), z.string()), {})
    .check(z.describe('Labels of every entry.')),
  credentials_path: z
    .optional(z.string().check(z.startsWith('/', 'an absolute path')))
    .check(
      z.describe(
        "A service account's key file (JSON); without it tokens come from the metadata server, as with Workload Identity.",
      ),
    ),
  metadata_url: z
    .prefault(httpUrl(), 'http://metadata.google.internal')
    .check(z.describe('Address of the metadata server.')),
  url: z
    .prefault(httpUrl(), 'https://logging.googleapis.com')
    .check(z.describe("The API's address; `/v2/entries:write` is added where it is missing.")),
  compression: z.prefault(z.enum(['none', 'gzip']), 'gzip').check(z.describe('How the body is packed.')),
  tls: tlsSchema,
  ...deliveryKeys,
  batch: batchSchema({ records: 1000, bytes: '2MiB', age: '1s' }),
});
export type GoogleCloudLoggingSinkOptions = z.infer<typeof googleCloudLoggingSinkSchema>;
