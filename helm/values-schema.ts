import { configJsonSchema, EXPANSION, type JsonSchema, mapSchemas } from '../agent/config/json-schema.ts';
import { readValues, type Value } from './values.ts';

/**
 * The chart's values.schema.json: `config` as the configuration's schema has it, everything else as values.yaml
 * does. Helm refuses values that do not fit it, with a message for each. Draft 7, which every Helm 3 knows.
 */
export function valuesSchemaText(): string {
  const { $schema: _, $defs, ...config } = asConditions(configJsonSchema());
  const schema = {
    ...groupSchema(readValues(), config),
    $schema: 'http://json-schema.org/draft-07/schema#',
    definitions: $defs,
  };
  return `${JSON.stringify(schema, undefined, 1).replaceAll('"#/$defs/', '"#/definitions/')}\n`;
}

function groupSchema(values: readonly Value[], config: JsonSchema): JsonSchema {
  const properties = Object.fromEntries(
    values.map((value) => {
      if (value.key === 'config') return [value.key, { ...config, description: value.description }];
      if (value.group !== undefined) return [value.key, groupSchema(value.group, config)];
      return [value.key, valueSchema(value)];
    }),
  );
  // Helm adds `global` where the chart is a part of another.
  return { type: 'object', properties: { ...properties, global: {} }, additionalProperties: false };
}

function valueSchema({ description, words, default: value }: Value): JsonSchema {
  if (words !== undefined) return { description, enum: words };
  return {
    description,
    type: Array.isArray(value) ? 'array' : typeof value === 'number' ? 'integer' : typeof value,
  };
}

/**
 * Alternatives told apart by a word (the `type` of a sink) as a chain of conditions: Helm then says what is wrong
 * in the alternative that was meant, and not in all of them.
 */
function asConditions(schema: JsonSchema): JsonSchema {
  const { oneOf, ...rest } = mapSchemas(schema, asConditions);
  if (oneOf === undefined) return rest;
  const words = (key: string) => oneOf.map((option) => wordsOf(option.properties?.[key]));
  const keys = Object.keys(oneOf[0]?.properties ?? {}).filter((key) => {
    const [first, ...others] = words(key).map((each) => each?.join());
    return first !== undefined && others.every((other) => other !== undefined && other !== first);
  });
  const told = (of: (key: string) => string[]) =>
    Object.fromEntries(keys.map((key) => [key, { pattern: `^(?:${of(key).join('|')})$` }]));
  return {
    ...rest,
    type: 'object',
    required: keys,
    properties: Object.fromEntries(
      keys.map((key) => [key, { pattern: `^(?:${words(key).flat().join('|')})$|${EXPANSION}` }]),
    ),
    allOf: oneOf.map((option) => ({
      if: { properties: told((key) => wordsOf(option.properties?.[key]) ?? []) },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: option,
    })),
  };
}

/** The words that a key may be, where its schema is a list of words. */
function wordsOf(schema: JsonSchema | undefined): string[] | undefined {
  if (typeof schema?.const === 'string') return [schema.const];
  return (schema?.enum ?? schema?.anyOf?.[0]?.enum) as string[] | undefined;
}
