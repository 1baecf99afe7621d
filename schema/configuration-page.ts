import { expandedConfigSchema, type JsonSchema } from '../agent/config/json-schema.ts';

/**
 * The reference page: the hand-written template, and at its marker a table for each section of the schema.
 */
export function configurationPage(template: string): string {
  const schema = expandedConfigSchema();
  const marker = '<!-- reference -->';
  if (!template.includes(marker)) throw new Error(`the template has no ${marker}`);
  return template.replace(marker, () => reference(schema).join('\n\n'));
}

function reference(schema: JsonSchema): string[] {
  const sections = Object.entries(schema.properties ?? {});
  const simple = sections.filter(([, section]) => kindOf(section) === 'value');
  const parts = ['### Top level', table(rows(Object.fromEntries(simple), schema.required ?? [], ''))];
  for (const [name, section] of sections) {
    if (kindOf(section) === 'value') continue;
    parts.push(`### \`${name}\``, section.description ?? '');
    if (section.items?.oneOf === undefined) {
      parts.push(table(rows(section.properties ?? {}, section.required ?? [], '')));
    } else {
      parts.push(...variants(name, section.items.oneOf));
    }
  }
  const filter = schema.$defs?.filter;
  parts.push('### Filters', filter?.description ?? '', table(alternatives(filter?.anyOf ?? [])));
  return parts;
}

/** A list whose entries differ by one key: what all have, then what each kind has of its own. */
function variants(name: string, options: JsonSchema[]): string[] {
  const tagKeys = ['format', 'type'];
  const all = options.map((option) => option.properties ?? {});
  const tag = tagKeys.find((key) => new Set(all.map((keys) => JSON.stringify(keys[key]))).size > 1)!;
  const shared = (key: string) =>
    all.every((keys) => JSON.stringify(keys[key]) === JSON.stringify(all[0]![key]));
  const pick = (keys: Record<string, JsonSchema>, keep: (key: string) => boolean) =>
    Object.fromEntries(Object.entries(keys).filter(([key]) => keep(key)));
  const required = options[0]!.required ?? [];
  const parts = [`What every entry of \`${name}\` has:`, table(rows(pick(all[0]!, shared), required, ''))];
  for (const option of options) {
    const tagSchema = option.properties![tag]!;
    const values = (tagSchema.enum ?? [tagSchema.const]).map((value) => `\`${tag}: ${value}\``).join(', ');
    const own = rows(
      pick(option.properties!, (key) => key !== tag && !shared(key)),
      option.required ?? [],
      '',
    );
    parts.push(`#### ${values}`, tagSchema.description ?? '');
    if (own.length > 0) parts.push(table(own));
  }
  return parts;
}

interface Row {
  key: string;
  type: string;
  fallback: string;
  meaning: string;
}

function rows(properties: Record<string, JsonSchema>, required: readonly string[], prefix: string): Row[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const row = {
      key: `${prefix}${key}`,
      type: typeText(schema),
      fallback: required.includes(key) ? 'required' : defaultText(schema),
      meaning: schema.description ?? '',
    };
    const nested = schema.properties ?? schema.items?.properties;
    if (nested === undefined) return [row];
    const inner = schema.properties === undefined ? `${row.key}[].` : `${row.key}.`;
    return [row, ...rows(nested, (schema.properties ? schema : schema.items)?.required ?? [], inner)];
  });
}

/** The keys of alternatives, each once. */
function alternatives(options: readonly JsonSchema[]): Row[] {
  return options.flatMap((option) =>
    rows(option.properties ?? {}, [], '').map((row) => ({
      ...row,
      meaning: row.meaning || (option.description ?? ''),
    })),
  );
}

function kindOf(schema: JsonSchema): 'value' | 'section' {
  return schema.properties !== undefined || schema.items?.oneOf !== undefined ? 'section' : 'value';
}

function typeText(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.$ref !== undefined) return 'filter';
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeText))].join(' or ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => TYPE_WORDS[type] ?? type).join(', ');
  if (schema.type === 'array') {
    return schema.items?.properties ? 'list of mappings' : `list of ${typeText(schema.items ?? {})}`;
  }
  if (schema.type === 'integer' || schema.type === 'number') return `number${rangeText(schema)}`;
  return TYPE_WORDS[schema.type ?? ''] ?? schema.type ?? '';
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  boolean: '`true`, `false`',
  object: 'mapping',
};

function rangeText({ minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  const lower = minimum !== undefined ? `from ${minimum}` : `above ${exclusiveMinimum}`;
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER
    ? ` ${lower} on`
    : ` ${lower} to ${maximum}`;
}

function defaultText(schema: JsonSchema): string {
  const { default: value } = schema;
  if (value === undefined) return '';
  // A section's default is that of its keys.
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) {
    return Array.isArray(value) ? '`[]`' : '';
  }
  if (Array.isArray(value)) return `\`[${value.join(', ')}]\``;
  return `\`${value}\``;
}

function table(lines: readonly Row[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  return [
    '| key | type | default | meaning |',
    '|---|---|---|---|',
    ...lines.map(
      ({ key, type, fallback, meaning }) =>
        `| \`${cell(key)}\` | ${cell(type)} | ${cell(fallback)} | ${cell(meaning)} |`,
    ),
  ].join('\n');
}
