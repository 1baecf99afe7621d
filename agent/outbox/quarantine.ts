import { existsSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Databases that are kept for whoever wants to look into them. */
const KEPT_MAX = 3;
const SIDE_FILES = ['', '-wal', '-shm', '-journal'];

/**
 * Moves a database and what belongs to it to `PATH.corrupt-TIME`, and removes the oldest beyond three.
 * @returns the new path
 */
export function quarantine(path: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
  const moved = freeName(`${path}.corrupt-${stamp}`);
  for (const suffix of SIDE_FILES) {
    if (existsSync(path + suffix)) renameSync(path + suffix, moved + suffix);
  }
  const folder = dirname(path);
  const prefix = `${basename(path)}.corrupt-`;
  const kept = readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && !SIDE_FILES.some((end) => end && name.endsWith(end)))
    .sort();
  for (const name of kept.slice(0, -KEPT_MAX)) {
    for (const suffix of SIDE_FILES) {
      const file = join(folder, name + suffix);
      if (existsSync(file)) unlinkSync(file);
    }
  }
  return moved;
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let n = 2; existsSync(name); n++) name = `${wanted}.${n}`;
  return name;
}
