import { readFileSync } from 'node:fs';

/** When this kernel started, µs since the epoch; undefined where `/proc` does not say. */
export function bootTimeUs(): number | undefined {
  try {
    const seconds = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
    return seconds === undefined ? undefined : Number(seconds) * 1e6;
  } catch {
    return undefined;
  }
}
