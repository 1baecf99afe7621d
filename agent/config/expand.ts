import { readFileSync, statSync } from 'node:fs';
import type { Path } from './path.ts';
import { pathText } from './path.ts';
import type { Finding } from './problem.ts';

/** What a secret is shown as. */
export const HIDDEN = '***';

const FILE_BYTES_MAX = 64 * 1024;

export interface Expansion {
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** By path: how a string with secrets in it is shown. */
  readonly shown: ReadonlyMap<string, string>;
  /** Files that values were read from: a change of one is a change of the configuration. */
  readonly files: readonly string[];
}

/**
 * Replaces `${NAME}` by an environment variable and `${file:/path}` by a file's text (without its last
 * newline) in every string value; `$${` stands for a plain `${`. What was put in is not looked at again.
 * Text from a file, and under `sinks` also from a variable, is a secret: `shown` has the string without it.
 */
export function expand(value: unknown, env: Readonly<Record<string, string | undefined>>): Expansion {
  const findings: Finding[] = [];
  const shown = new Map<string, string>();
  const files = new Set<string>();

  const resolve = (name: string, path: Path): string | undefined => {
    const refuse = (message: string) => {
      findings.push({ path, message });
      return undefined;
    };
    if (name.startsWith('file:')) {
      const file = name.slice('file:'.length);
      if (!file.startsWith('/'))
        return refuse(`\${${name}} needs an absolute path: \${file:/run/secrets/name}`);
      files.add(file);
      const text = readText(file);
      return typeof text === 'string' ? text : refuse(`cannot read ${file} for \${${name}}: ${text.reason}`);
    }
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      return refuse(
        `\${${name}} is neither a variable nor a file: write \${NAME} or \${file:/path}, or $\${ for a plain \${`,
      );
    }
    return env[name] ?? refuse(`the environment variable ${name} is not set`);
  };

  const visitText = (text: string, path: Path): string => {
    if (!text.includes('${')) return text;
    let hidden = false;
    let visible = '';
    let end = 0;
    let result = '';
    for (const match of text.matchAll(/\$\$\{|\$\{([^}]*)(\}?)/g)) {
      if (match[1] === undefined) {
        const plain = `${text.slice(end, match.index)}\${`;
        result += plain;
        visible += plain;
        end = match.index + match[0].length;
        continue;
      }
      const between = text.slice(end, match.index);
      const name = match[1];
      const found = match[2] === '' ? undefined : resolve(name, path);
      if (match[2] === '') findings.push({ path, message: `\${ without }: write $\${ for a plain \${` });
      const secret = name.startsWith('file:') || path[0] === 'sinks';
      hidden ||= secret;
      result += between + (found ?? '');
      visible += between + (secret ? HIDDEN : (found ?? ''));
      end = match.index + match[0].length;
    }
    if (hidden) shown.set(pathText(path), visible + text.slice(end));
    return result + text.slice(end);
  };

  const visit = (at: unknown, path: Path): unknown => {
    if (typeof at === 'string') return visitText(at, path);
    if (Array.isArray(at)) return at.map((item, i) => visit(item, [...path, i]));
    if (typeof at !== 'object' || at === null) return at;
    const entries = Object.entries(at).map(([key, item]) => [key, visit(item, [...path, key])]);
    return Object.fromEntries(entries);
  };

  return { value: visit(value, []), findings, shown, files: [...files] };
}

function readText(file: string): string | { reason: string } {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) return { reason: 'it is not a file' };
    if (stat.size > FILE_BYTES_MAX) return { reason: `it is larger than ${FILE_BYTES_MAX} bytes` };
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
    return text.replace(/\r?\n$/, '');
  } catch (error) {
    return { reason: readFailure(error) };
  }
}

/** Why a file could not be read, in words. */
export function readFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const words: Record<string, string> = {
    ENOENT: 'there is no such file',
    ENOTDIR: 'there is no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
    ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
  };
  return words[code] ?? (error as Error).message;
}
