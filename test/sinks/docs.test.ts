import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseConfig } from '../../agent/config/load.ts';

const FOLDER = new URL('../../docs/sinks/', import.meta.url);
const INPUTS = [{ type: 'file', format: 'syslog', paths: ['/var/log/syslog'] }];
const ANY_SECRET = new Proxy({}, { get: () => 'secret' });

const examples = readdirSync(FOLDER).flatMap((page) => {
  const text = readFileSync(new URL(page, FOLDER), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => parse(yaml!));
  return blocks.filter((block) => block.sinks).map((block, n) => ({ page, n: n + 1, block }));
});

test.each(examples)('example $n of $page works as it stands', ({ block }) => {
  const text = stringify({ inputs: INPUTS, ...block });
  // Secrets in files are not on this machine.
  const loaded = parseConfig(text.replaceAll(/\$\{file:[^}]*\}/g, 'secret'), ANY_SECRET);
  expect(loaded.ok ? [] : loaded.problems).toEqual([]);
});

test('every page has an example', () => {
  expect(new Set(examples.map(({ page }) => page))).toEqual(new Set(readdirSync(FOLDER)));
});
