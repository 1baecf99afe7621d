import { readPath } from '../../parsers/read-path.ts';

const FIELD = /\{\{\s*([^{}\s]+)\s*\}\}/;

/**
 * Makes the function that writes a record as one line of text: `{{ src.namespace }}` in the template stands for the
 * field at that path, as filters name it.
 *
 * - Of a list every value is written, with commas between them; an object is written as JSON.
 * - In a text, quotes, backslashes and control characters are escaped as in JSON, so that a line stays one line, and
 *   what the template has in quotes stays in them.
 * - Where nothing is, `missing` is written.
 */
export function compileTemplate(template: string, missing: string): (record: object) => string {
  const parts = template.split(FIELD).map((part, index) => (index % 2 === 0 ? part : part.split('.')));
  return (record) =>
    parts.map((part) => (typeof part === 'string' ? part : write(record, part) || missing)).join('');
}

/** What is wrong with a template; undefined for a good one. */
export function templateProblem(template: string): string | undefined {
  if (/\p{Cc}/u.test(template.replaceAll('\t', ''))) {
    return 'a template is one line; in YAML, >- makes one of several';
  }
  const literals = template.split(FIELD).filter((_, index) => index % 2 === 0);
  if (!literals.some((text) => text.includes('{{') || text.includes('}}'))) return undefined;
  return 'a field is written as {{ src.namespace }}';
}

/** The fields that a template names. */
export function fieldsOfTemplate(template: string): string[] {
  return template.split(FIELD).filter((_, index) => index % 2 === 1);
}

function write(record: object, path: readonly string[]): string {
  const values: string[] = [];
  readPath(record, path, (value) => {
    values.push(typeof value === 'object' ? JSON.stringify(value) : escaped(String(value)));
    return false;
  });
  return values.join(',');
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
