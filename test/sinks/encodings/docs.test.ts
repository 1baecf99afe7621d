import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseConfig } from '../../../agent/config/load.ts';

const PAGE = readFileSync(new URL('../../../docs/encodings.md', import.meta.url), 'utf8');

test('the examples of the page work as they stand', () => {
  const examples = [...PAGE.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => parse(yaml!));
  expect(examples).not.toEqual([]);
  for (const example of examples) {
    const inputs = [{ type: 'file', format: 'syslog', paths: ['/var/log/syslog'] }];
    const loaded = parseConfig(stringify({ inputs, ...example }), {});
    expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  }
});
