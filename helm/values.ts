import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';

export const CHART = join(import.meta.dirname, 'policy-log-agent');

/**
 * One value of the chart, as values.yaml says in the comment above it: `# --` begins its description, `@default --`
 * what the README shows instead of the default, `@enum --` the words that it may be, separated by commas.
 */
export interface Value {
  key: string;
  description: string;
  shown: string | undefined;
  words: string[] | undefined;
  default: unknown;
  /** The values of a group, which has no description of its own. A map that has one is free in its keys. */
  group: Value[] | undefined;
}

/** The values of values.yaml, in its order. */
export function readValues(): Value[] {
  const document = parseDocument(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  return valuesOf(document.contents as YAMLMap);
}

function valuesOf(map: YAMLMap): Value[] {
  return map.items.flatMap(({ key, value }, index) => {
    if (!isScalar(key)) return [];
    // The comment above a map's first key belongs to the map in the parser's eyes.
    const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined) ?? '';
    const about = readComment(comment);
    const group = isMap(value) && value.items.length > 0 && about.description === '';
    return [
      {
        key: String(key.value),
        ...about,
        default: isScalar(value) ? value.value : (value as YAMLMap).toJSON(),
        group: group ? valuesOf(value) : undefined,
      },
    ];
  });
}

function readComment(comment: string): Pick<Value, 'description' | 'shown' | 'words'> {
  const lines = comment.split('\n').map((line) => line.trim());
  const from = lines.findIndex((line) => line.startsWith('-- '));
  if (from < 0) return { description: '', shown: undefined, words: undefined };
  const text = lines.slice(from).join(' ').slice('-- '.length);
  const [description = '', ...tags] = text.split(/ @(?=default|enum)/);
  const tag = (name: string) => tags.find((part) => part.startsWith(`${name} -- `))?.slice(name.length + 4);
  return { description, shown: tag('default'), words: tag('enum')?.split(', ') };
}
