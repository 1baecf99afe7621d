import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';

/**
 * The table of values in the chart's README, out of the comments in values.yaml: `node helm/document-values.ts`
 * writes it. A value that a comment with `# --` describes is one row; maps without one are a row for each key.
 */

const CHART = join(import.meta.dirname, 'policy-log-agent');
const README = join(CHART, 'README.md');
const HEADING = '## Values\n';

interface Row {
  name: string;
  shown: string;
  description: string;
}

/** The text of a comment from its `--` on, and what stands behind `@default --` instead of the value. */
function readComment(comment: string): { description: string; shown: string | undefined } {
  const lines = comment.split('\n').map((line) => line.trim());
  const from = lines.findIndex((line) => line.startsWith('-- '));
  if (from < 0) return { description: '', shown: undefined };
  const text = lines.slice(from).join(' ').slice('-- '.length);
  const [description = '', shown] = text.split(' @default -- ');
  return { description, shown };
}

function rows(map: YAMLMap, parent: string): Row[] {
  return map.items.flatMap(({ key, value }, index) => {
    if (!isScalar(key)) return [];
    // The comment above a map's first key belongs to the map in the parser's eyes.
    const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined) ?? '';
    const name = parent + String(key.value);
    const { description, shown } = readComment(comment);
    if (isMap(value) && value.items.length > 0 && description === '') return rows(value, `${name}.`);
    const json = JSON.stringify(isMap(value) || !isScalar(value) ? (value as YAMLMap).toJSON() : value.value);
    return [{ name, shown: shown ?? `\`${json}\``, description }];
  });
}

/** The README with the table as values.yaml says now. */
export function documented(): string {
  const values = parseDocument(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  const readme = readFileSync(README, 'utf8');
  const head = readme.slice(0, readme.indexOf(HEADING) + HEADING.length);
  const table = rows(values.contents as YAMLMap, '').map(
    ({ name, shown, description }) => `| \`${name}\` | ${shown} | ${description.replaceAll('|', '\\|')} |`,
  );
  return `${head}\n| value | default | |\n|---|---|---|\n${table.join('\n')}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(README, documented());
