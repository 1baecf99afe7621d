import { autoFormat } from '../parsers/auto.ts';
import type { DetectableFormat } from '../parsers/detect.ts';
import { flowLogFormat } from '../parsers/flow-log.ts';
import type { Format } from '../parsers/line.ts';
import { policyActionFormat } from '../parsers/policy-action.ts';
import { rawLogFormat } from '../parsers/raw-log.ts';
import { type SyslogOptions, syslogFormat } from '../parsers/syslog.ts';
import { inputSchema, type SyslogInput } from './config/inputs.ts';
import type { LoadedConfig } from './config/load.ts';

/** What formats need to know beside their input's own keys. */
export interface FormatContext {
  readonly config: LoadedConfig;
  readonly node: string;
  /** Zone of stamps that have none, where the input names none. */
  readonly timezone: string;
  /** When this kernel started, µs since the epoch, where it is known. */
  readonly bootTimeUs: number | undefined;
}

/** The format of a configured input. */
export function formatOf(input: LoadedConfig['inputs'][number], context: FormatContext): Format {
  const { node, config } = context;
  switch (input.format) {
    case 'syslog':
      return syslogFormat(syslogOptions(input, input.name, context));
    case 'policy_action':
      return policyActionFormat({ input: input.name, node, dispositions: config.select.dispositions });
    case 'flow_log':
      return flowLogFormat({ input: input.name, node });
    case 'json':
    case 'text':
      return rawLogFormat({ input: input.name, node, logType: input.log_type, format: input.format });
  }
}

/** The format that `parse` is asked for; with `auto` each line says itself what it is. */
export function parseFormat(name: string, input: string, context: FormatContext): Format {
  const make = (format: DetectableFormat) => makeFormat(format, input, context);
  return name === 'auto' ? autoFormat(make) : make(name as DetectableFormat);
}

function makeFormat(format: DetectableFormat, input: string, context: FormatContext): Format {
  const { node, config } = context;
  switch (format) {
    case 'policy_action':
      return policyActionFormat({ input, node, dispositions: config.select.dispositions });
    case 'flow_log':
      return flowLogFormat({ input, node });
    case 'syslog':
    case 'kmsg':
    case 'journal':
      return syslogFormat(syslogOptions(syslogKeys(config), input, context), format);
  }
}

/** The keys of the configured syslog input, or their defaults. */
function syslogKeys(config: LoadedConfig): SyslogInput {
  const configured = config.inputs.find((input) => input.format === 'syslog');
  return (
    configured ??
    (inputSchema.parse({ type: 'file', format: 'syslog', paths: ['/dev/stdin'] }) as SyslogInput)
  );
}

function syslogOptions(keys: SyslogInput, input: string, context: FormatContext): SyslogOptions {
  const { node, config, timezone, bootTimeUs } = context;
  return {
    input,
    node,
    prefixes: keys.prefixes,
    prefixTemplate: keys.prefix_template,
    dispositions: config.select.dispositions,
    timezone: keys.timezone ?? timezone,
    workloadInterfaces: keys.workload_interfaces,
    mergePair: keys.merge_pair,
    bootTimeUs,
  };
}
