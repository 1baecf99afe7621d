import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

/** A file that is larger is no certificate, no key and no configuration; its size stands for it. */
const READ_BYTES_MAX = 4 << 20;

/**
 * The files that options name, as `tls.ca_file` and `credentials_path` of a sink do: what they hold belongs to the
 * configuration as much as what `${file:…}` puts in.
 */
export function namedFiles(options: unknown): string[] {
  const found = new Set<string>();
  const visit = (value: unknown, key = ''): void => {
    if (typeof value === 'string' && NAMES_A_FILE.test(key)) found.add(value);
    if (Array.isArray(value)) for (const item of value) visit(item);
    else if (typeof value === 'object' && value !== null) {
      for (const [name, item] of Object.entries(value)) visit(item, name);
    }
  };
  visit(options);
  return [...found];
}

const NAMES_A_FILE = /^(?:ca_file|cert_file|key_file|credentials_path)$/;

/** Changes with every change of what the files hold, and with their coming and going. */
export function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    try {
      const stat = statSync(file);
      const isRead = stat.isFile() && stat.size <= READ_BYTES_MAX;
      hash.update(`${file}\n${stat.size}\n`).update(isRead ? readFileSync(file) : '');
    } catch {
      hash.update(`${file}\nabsent\n`);
    }
  }
  return hash.digest('base64');
}
