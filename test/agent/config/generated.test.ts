import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  configJsonSchema,
  expandedConfigSchema,
  type JsonSchema,
} from '../../../agent/config/json-schema.ts';
import { parseConfig } from '../../../agent/config/load.ts';
import { generatedFiles } from '../../../schema/generate.ts';

const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(
  configJsonSchema(),
);

/** The YAML examples of the reference page. */
const examples = [
  ...generatedFiles()
    .get('docs/configuration.md')!
    .matchAll(/```yaml\n(.*?)```/gs),
].map(([, yaml]) => yaml!);

test.each([...generatedFiles()])('%s is what `npm run schema` writes', (path, text) => {
  expect(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')).toBe(text);
});

describe('every example of the reference page', () => {
  test('is found', () => {
    expect(examples.length).toBeGreaterThanOrEqual(5);
  });

  test.each(examples)('is valid: %s', (yaml) => {
    // Secrets of examples are not on this machine; a variable stands in for their files.
    const loaded = parseConfig(yaml.replaceAll(/\$\{file:[^}]*\}/g, '${SECRET}'), {
      NODE_NAME: 'node-1',
      SECRET: 'secret',
    });
    expect(loaded.ok ? [] : loaded.problems).toEqual([]);
    if (loaded.ok) expect(validate(parse(loaded.effective())), JSON.stringify(validate.errors)).toBe(true);
    expect(validate(parse(yaml, { merge: true })), JSON.stringify(validate.errors)).toBe(true);
  });
});

test('every key has a description', () => {
  const missing: string[] = [];
  const visit = (schema: JsonSchema, path: string) => {
    for (const [key, value] of Object.entries(schema.properties ?? {})) {
      if (value.description === undefined && value.$ref === undefined) missing.push(`${path}.${key}`);
      visit(value, `${path}.${key}`);
    }
    for (const option of [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])]) visit(option, path);
    if (schema.items !== undefined) visit(schema.items, `${path}[]`);
    for (const [name, value] of Object.entries(schema.$defs ?? {})) visit(value, name);
  };
  visit(expandedConfigSchema(), '');
  expect(missing).toEqual([]);
});

describe('the JSON Schema', () => {
  const minimal = (extra: object) => ({
    inputs: [{ type: 'file', format: 'syslog', paths: ['/var/log/syslog'] }],
    sinks: [{ name: 'a', type: 'stdout' }],
    ...extra,
  });

  test.each([
    ['nothing more', {}],
    ['a duration from a variable', { shutdown_timeout: '${TIMEOUT}' }],
    ['a level from a variable', { log: { level: '${LEVEL}' } }],
    ['a URL from a file', { sinks: [{ name: 'a', type: 'http', url: '${file:/url}' }] }],
    ['filters in filters', { select: { exclude: [{ not: { and: [{ field: 'a', equals: 1 }] } }] } }],
  ])('takes %s', (_what, extra) => {
    expect(validate(minimal(extra)), JSON.stringify(validate.errors)).toBe(true);
  });

  test.each([
    ['an unknown key', { slect: {} }],
    ['a duration without a unit', { shutdown_timeout: '10' }],
    ['a level that does not exist', { log: { level: 'verbose' } }],
    ['a sink that does not exist', { sinks: [{ name: 'a', type: 'stdot' }] }],
    ['a URL of another protocol', { sinks: [{ name: 'a', type: 'http', url: 'ftp://h' }] }],
    ['a mistyped filter', { select: { exclude: [{ field: 'a', equal: 1 }] } }],
  ])('refuses %s', (_what, extra) => {
    expect(validate(minimal(extra))).toBe(false);
  });
});
