import * as z from 'zod/mini';
import { prefixPattern } from './prefix-pattern.ts';
import { duration, size } from './units.ts';

const fileType = z.literal('file').check(z.describe('How lines are read: from files.'));

const common = {
  name: z
    .optional(z.string().check(z.minLength(1)))
    .check(
      z.describe('Name in metrics and records; default: the format, with a number where two are alike.'),
    ),
  paths: z
    .array(z.string().check(z.startsWith('/', 'an absolute path or glob')))
    .check(z.minLength(1), z.describe('Files and globs to read; each with its rotated siblings.')),
  start: z
    .prefault(z.enum(['end', 'beginning']), 'end')
    .check(
      z.describe(
        'Where to begin in files that are there at the first start. A file that appears later is read from its beginning.',
      ),
    ),
  poll_interval: z
    .prefault(duration('10ms', '1m'), '450ms')
    .check(
      z.describe(
        'How often to look for new bytes while lines arrive; a quiet file is looked at ever more seldom, down to once a second.',
      ),
    ),
  line_bytes_max: z
    .prefault(size('256B', '16MiB'), '64KiB')
    .check(z.describe('Longer lines are skipped and counted as unparsable{reason="too_long"}.')),
};

const workloadInterfaces = z
  .prefault(z.array(z.string()), ['cali', 'eni', 'gke', 'azv', 'oci', 'tap', 'lxc', 'veth'])
  .check(
    z.describe('Beginnings of the names of interfaces that lead to a pod; direction follows from them.'),
  );

const syslog = z.strictObject({
  type: fileType,
  format: z.literal('syslog').check(z.describe('Kernel LOG lines in a syslog file.')),
  ...common,
  prefixes: z
    .prefault(z.array(prefixPattern()), ['calico-packet', 'calico-drop', 'calico-response-*'])
    .check(
      z.describe(
        'Log prefixes that are ours: literal, or with `*`, or a regular expression between slashes. Lines with another prefix are foreign.',
      ),
    ),
  prefix_template: z
    .optional(z.string())
    .check(z.describe("Calico's logPrefix with %t %k %n %p, to read policies back out of the prefix.")),
  timezone: z
    .optional(z.string())
    .check(z.describe("IANA zone of stamps that have none; default: the node's.")),
  workload_interfaces: workloadInterfaces,
  merge_pair: z
    .prefault(z.enum(['none', 'empty_prefix', 'all']), 'empty_prefix')
    .check(z.describe('Which second lines of one packet on one node are merged into the first.')),
});

const policyAction = z.strictObject({
  type: fileType,
  format: z.literal('policy_action').check(z.describe("JSON lines of GKE Dataplane V2's policy logging.")),
  ...common,
});

const flowLog = z.strictObject({
  type: fileType,
  format: z.literal('flow_log').check(z.describe('Calico Enterprise flow logs, text or JSON.')),
  ...common,
});

const raw = z.strictObject({
  type: fileType,
  format: z.enum(['json', 'text']).check(z.describe('Other logs, shipped as they are.')),
  ...common,
  log_type: z
    .string()
    .check(z.minLength(1), z.describe('What the log is (`audit`, `dns`, …); sinks can route on it.')),
});

export const inputSchema = z.discriminatedUnion('format', [syslog, policyAction, flowLog, raw]);

export type SyslogInput = z.infer<typeof syslog>;
export type FileInput = z.infer<typeof inputSchema>;
