import { HIDDEN } from './expand.ts';
import type { Path } from './path.ts';
import { pathText } from './path.ts';

// Keys and header names whose values are secrets even when they are written out in the file.
const SECRET_KEY =
  /(^|[_-])(password|passwd|secret|token|authorization|cookie|credentials?|signature|api[_-]?key|apikey|access[_-]?key|account[_-]?key|shared[_-]?key|private[_-]?key|connection[_-]?string)$/i;
const PEM_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** Whether values under this key, or this header, are secrets wherever they come from. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/**
 * How a value may be shown: strings that a secret was put into as `shown` has them, values under keys that name
 * a secret not at all, URLs without their password. Everything else as it is.
 */
export function hideSecrets(value: unknown, path: Path, shown: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item, i) => hideSecrets(item, [...path, i], shown));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, hideSecrets(item, [...path, key], shown)]),
    );
  }
  const visible = shown.get(pathText(path));
  if (path.some((step) => typeof step === 'string' && isSecretKey(step))) return HIDDEN;
  if (visible !== undefined) return withoutPassword(visible);
  if (typeof value !== 'string') return value;
  if (PEM_KEY.test(value)) return HIDDEN;
  return withoutPassword(value);
}

function withoutPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#@:]*):[^/?#]*@/i, `$1:${HIDDEN}@`);
}
