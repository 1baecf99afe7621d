import * as z from 'zod/mini';
import { filterSchema } from '../config/filters.ts';
import { configSchema } from '../config/schema.ts';
import type { SchemaSubject } from './cli.ts';
import { EX_OK } from './exit-codes.ts';
import type { CommandIo } from './validate.ts';

/** Formats that JSON Schema knows; zod's others are kept as what they mean: a pattern. */
const STANDARD_FORMATS = new Set(['uri', 'date-time', 'ipv4', 'ipv6']);

/**
 * JSON Schema (draft 2020-12) of the configuration file as it is written: before variables are put in, so every
 * text that has a form of its own may also hold a `${…}`.
 */
export function configJsonSchema(): Record<string, unknown> {
  z.globalRegistry.add(filterSchema, {
    ...z.globalRegistry.get(filterSchema),
    id: 'filter',
    description: 'A condition over a record: a test of one field, or conditions put together.',
  });
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => allowExpansion(jsonSchema as Record<string, unknown>),
  });
  return {
    ...schema,
    title: 'policy-log-agent configuration',
    description: 'One YAML file; durations and sizes carry their unit, unknown keys are refused.',
  };
}

function allowExpansion(schema: Record<string, unknown>): void {
  if (typeof schema.pattern === 'string') schema.pattern = `(?:${schema.pattern})|\\$\\{`;
  if (
    typeof schema.format === 'string' &&
    (schema.pattern !== undefined || !STANDARD_FORMATS.has(schema.format))
  ) {
    delete schema.format;
  }
  // `uri` has no pattern, and a URL may come from a variable as a whole.
  if (schema.format === 'uri') {
    delete schema.format;
    schema.pattern = '^https?://|\\$\\{';
  }
}

const GENERATORS = { config: configJsonSchema } satisfies Record<SchemaSubject, () => object>;

/** The schema file's text, as `schema/` and standard output have it. */
export function schemaText(subject: SchemaSubject): string {
  return `${JSON.stringify(GENERATORS[subject](), null, 2)}\n`;
}

/** Writes one JSON Schema to standard output. */
export function schema(subject: SchemaSubject, io: CommandIo = process): number {
  io.stdout.write(schemaText(subject));
  return EX_OK;
}
