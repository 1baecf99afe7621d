import * as z from 'zod/mini';
import { filterSchema } from './filters.ts';
import { configSchema } from './schema.ts';

/** A JSON Schema, as far as it is looked into here. */
export interface JsonSchema {
  $schema?: string;
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
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  if?: JsonSchema;
  then?: JsonSchema;
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

/** What a `${…}` in a text begins with, as a pattern. */
export const EXPANSION = '\\$\\{';

function allowExpansion(schema: JsonSchema): JsonSchema {
  const { format, ...result } = mapSchemas(schema, allowExpansion);
  // Of formats only `url` has no pattern besides.
  if (result.pattern !== undefined) result.pattern = `(?:${result.pattern})|${EXPANSION}`;
  else if (format === 'uri') result.pattern = `^https?://|${EXPANSION}`;
  if (result.maximum === Number.MAX_SAFE_INTEGER) delete result.maximum;
  if (result.enum?.every((value) => typeof value === 'string')) {
    result.anyOf = [{ enum: result.enum }, { pattern: EXPANSION }];
    delete result.enum;
  }
  return result;
}

/** A copy of a schema with `change` done to each schema that it is made of. */
export function mapSchemas(schema: JsonSchema, change: (part: JsonSchema) => JsonSchema): JsonSchema {
  const result = { ...schema };
  const all = (parts: Record<string, JsonSchema>) =>
    Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, change(part)]));
  if (result.items !== undefined) result.items = change(result.items);
  if (typeof result.additionalProperties === 'object') {
    result.additionalProperties = change(result.additionalProperties);
  }
  if (result.oneOf !== undefined) result.oneOf = result.oneOf.map(change);
  if (result.anyOf !== undefined) result.anyOf = result.anyOf.map(change);
  if (result.properties !== undefined) result.properties = all(result.properties);
  if (result.$defs !== undefined) result.$defs = all(result.$defs);
  return result;
}
