import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART, readValues, type Value } from './values.ts';

const HEADING = '## Values\n';

/** The chart's README with the table of values as values.yaml says now. */
export function chartReadme(): string {
  const readme = readFileSync(join(CHART, 'README.md'), 'utf8');
  const head = readme.slice(0, readme.indexOf(HEADING) + HEADING.length);
  return `${head}\n| value | default | |\n|---|---|---|\n${rows(readValues(), '').join('\n')}\n`;
}

function rows(values: readonly Value[], parent: string): string[] {
  return values.flatMap(({ key, description, shown, words, group, ...value }) => {
    const name = parent + key;
    if (group !== undefined) return rows(group, `${name}.`);
    const choice = words === undefined ? '' : ` One of ${words.map((word) => `\`${word}\``).join(', ')}.`;
    const text = `${description}${choice}`.replaceAll('|', '\\|');
    return [`| \`${name}\` | ${shown ?? `\`${JSON.stringify(value.default)}\``} | ${text} |`];
  });
}
