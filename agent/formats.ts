import type { Format } from '../parsers/line.ts';
import { policyActionFormat } from '../parsers/policy-action.ts';
import type { LoadedConfig } from './config/load.ts';

/** What formats need to know beside their input's own keys. */
export interface FormatContext {
  readonly config: LoadedConfig;
  readonly node: string;
  readonly timezone: string;
  /** When this kernel started, µs since the epoch, where it is known. */
  readonly bootTimeUs?: number;
}

/** The format of a configured input. */
export function formatOf(input: LoadedConfig['inputs'][number], context: FormatContext): Format {
  const { node, config } = context;
  const { dispositions } = config.select;
  switch (input.format) {
    case 'policy_action':
      return policyActionFormat({ input: input.name, node, dispositions });
    default:
      throw new Error(`${input.format} has no parser`);
  }
}

/** The format that `parse` is asked for; `auto` looks at every line. */
export function parseFormat(format: string, context: FormatContext & { input: string }): Format {
  const { node, config, input } = context;
  const { dispositions } = config.select;
  switch (format) {
    default:
      return policyActionFormat({ input, node, dispositions });
  }
}
