import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'policy-log-agent/real');

/** Versions of what the suites build, by name as in versions.env. */
export const versions = parseEnv(readFileSync(join(import.meta.dirname, 'versions.env'), 'utf8'));

/** The path of something that prepare.sh built. Throws, saying what would build it, where it is not there. */
export function built(path: string): string {
  const full = join(CACHE, path);
  if (!existsSync(full)) throw new Error(`${full} is not there: run \`make test-real\`, which builds it`);
  return full;
}
