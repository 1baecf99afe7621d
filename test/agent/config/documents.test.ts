import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseConfig } from '../../../agent/config/load.ts';

const DOCS = new URL('../../../docs/', import.meta.url);
const LEAST = {
  inputs: [{ type: 'file', format: 'syslog', paths: ['/var/log/syslog'] }],
  sinks: [{ name: 'out', type: 'stdout' }],
};

/** Parts of configurations that the documents show, also as a chart's value. */
const shown = readdirSync(DOCS)
  .filter((file) => file.endsWith('.md') && file !== 'real-cluster.md')
  .flatMap((file) =>
    [...readFileSync(new URL(file, DOCS), 'utf8').matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => ({
      file,
      yaml: yaml!,
      value: parse(yaml!, { merge: true }),
    })),
  )
  .map(({ value, ...rest }) => ({ ...rest, config: value.config ?? value }))
  .filter(({ config }) => 'sinks' in config || 'inputs' in config);

describe('what the documents show of configurations', () => {
  test('is found', () => {
    expect(shown.length).toBeGreaterThan(5);
  });

  test.each(shown)('is valid: $file: $yaml', ({ config }) => {
    const text = stringify({ ...LEAST, ...config }).replaceAll(/\$\{[^}]*\}/g, 'secret');
    const loaded = parseConfig(text, {});
    expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  });
});
