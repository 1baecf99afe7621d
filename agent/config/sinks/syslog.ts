import * as z from 'zod/mini';
import { FACILITIES, SEVERITIES } from '../../../sinks/syslog/priority.ts';
import { count, size } from '../units.ts';
import { batchSchema, commonSinkKeys, deliveryKeys, tlsSchema } from './common.ts';
import { textEncoding } from './encoding.ts';

const severity = (fallback: (typeof SEVERITIES)[number]) => z.prefault(z.enum(SEVERITIES), fallback);
/** A name as RFC 5424 has it. */
const name = (charsMax: number) =>
  z
    .string()
    .check(z.regex(new RegExp(`^[!-~]{1,${charsMax}}$`), `1 to ${charsMax} printable characters, no spaces`));

/** Names of parameters have no `=`, `]` or `"`. */
const SD_NAME = /^[!#-<>-\\^-~]{1,32}$/;

export const syslogSinkSchema = z.strictObject({
  type: z.literal('syslog').check(z.describe('Records as syslog messages (RFC 5424).')),
  ...commonSinkKeys,
  host: z.string().check(z.minLength(1), z.describe("The server's name or address.")),
  port: z
    .optional(count(1, 65_535))
    .check(z.describe("The server's port; by default 514, with `transport: tls` 6514.")),
  transport: z
    .prefault(z.enum(['tcp', 'tls', 'udp']), 'tcp')
    .check(z.describe('TCP and TLS count octets (RFC 6587, RFC 5425). UDP loses messages without a sign.')),
  facility: z.prefault(z.enum(FACILITIES), 'local0').check(z.describe('Facility of the messages.')),
  severity: z
    .prefault(
      z.strictObject({
        allow: severity('info').check(z.describe('Severity of allowed connections.')),
        deny: severity('warning').check(z.describe('Severity of denied connections.')),
        unknown: severity('notice').check(z.describe('Severity of connections without a verdict.')),
        other: severity('info').check(z.describe('Severity of all other records.')),
      }),
      {},
    )
    .check(z.describe('Severity of the messages.')),
  app_name: z
    .prefault(name(48), 'policy-log-agent')
    .check(z.describe('APP-NAME; MSGID is the log type, `flow` for flow records.')),
  hostname: z.optional(name(255)).check(z.describe("HOSTNAME; by default the record's `node_name`.")),
  structured_data: z
    .prefault(
      z.strictObject({
        id: z
          .prefault(z.string().check(z.regex(SD_NAME, 'NAME@NUMBER, at most 32 characters')), 'policy@32473')
          .check(z.describe("SD-ID; the number is one's own enterprise number, 32473 that of examples.")),
        fields: z
          .prefault(
            z
              .array(z.string().check(z.regex(SD_NAME, 'a path of at most 32 characters')))
              .check(z.maxLength(32, 'at most 32 fields')),
            [
              ...['id', 'disposition', 'count', 'connection.src_ip', 'connection.dest_ip'],
              ...['connection.dest_port', 'connection.protocol', 'src.namespace', 'src.pod_name'],
              ...['dest.namespace', 'dest.pod_name', 'policies.name'],
            ],
          )
          .check(z.describe('Fields that become parameters, named by their paths; an empty list for none.')),
      }),
      {},
    )
    .check(z.describe('STRUCTURED-DATA of the messages.')),
  message_bytes_max: z
    .prefault(size('480B', '1MiB'), '8KiB')
    .check(
      z.describe(
        'Longest message, as the server takes it; a record that makes a longer one is a dead letter.',
      ),
    ),
  encoding: textEncoding,
  tls: tlsSchema,
  ...deliveryKeys,
  batch: batchSchema({ records: 1000, bytes: '1MiB', age: '5s' }),
});
export type SyslogSinkOptions = z.infer<typeof syslogSinkSchema>;
