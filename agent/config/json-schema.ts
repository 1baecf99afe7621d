import * as z from 'zod/mini';
import { filterSchema } from './filters.ts';
import { configSchema } from './schema.ts';

/** A JSON Schema, as far as it is looked into here. */
export interface JsonSchema {
  title?: string;
  description?: string;
  default?: unknown;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
}

/** JSON Schema (draft 2020-12) of the configuration, after variables are put in. */
export function expandedConfigSchema(): JsonSchema {
  z.globalRegistry.add(filterSchema, {
    id: 'filter',
    description: 'A condition over a record: a test of one field, or conditions put together.',
  });
  const schema = z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
  return {
    ...schema,
    title: 'policy-log-agent configuration',
    description: 'One YAML file; durations and sizes carry their unit, unknown keys are refused.',
  };
}

/**
 * JSON Schema of the configuration file as it is written: a text that has a form of its own, or one of a few
 * words, may also hold a `${…}`.
 */
export function configJsonSchema(): JsonSchema {
  return allowExpansion(expandedConfigSchema());
}

const EXPANSION = '\\$\\{';

function allowExpansion(schema: JsonSchema): JsonSchema {
  const { format, ...result } = schema;
  // Of formats only `url` has no pattern besides.
  if (result.pattern !== undefined) result.pattern = `(?:${result.pattern})|${EXPANSION}`;
  else if (format === 'uri') result.pattern = `^https?://|${EXPANSION}`;
  if (result.maximum === Number.MAX_SAFE_INTEGER) delete result.maximum;
  if (result.enum?.every((value) => typeof value === 'string')) {
    result.anyOf = [{ enum: result.enum }, { pattern: EXPANSION }];
    delete result.enum;
  }
  if (result.items !== undefined) result.items = allowExpansion(result.items);
  if (typeof result.additionalProperties === 'object') {
    result.additionalProperties = allowExpansion(result.additionalProperties);
  }
  if (result.oneOf !== undefined) result.oneOf = result.oneOf.map(allowExpansion);
  if (schema.anyOf !== undefined) result.anyOf = schema.anyOf.map(allowExpansion);
  if (result.properties !== undefined) result.properties = allowIn(result.properties);
  if (result.$defs !== undefined) result.$defs = allowIn(result.$defs);
  return result;
}

function allowIn(schemas: Record<string, JsonSchema>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, allowExpansion(schema)]));
}
