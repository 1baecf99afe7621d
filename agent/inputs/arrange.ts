import type { RotatedSet } from './discover.ts';
import type { FollowedFile } from './followed-file.ts';

/** The files of one set that are open, oldest first. */
export interface Following {
  readonly path: string;
  readonly files: readonly FollowedFile[];
}

/**
 * Puts the open files of each set in order; one that lost its name stays behind those that were older.
 * @param before the order until now
 */
export function arrange(
  sets: readonly RotatedSet[],
  open: readonly FollowedFile[],
  before: readonly Following[],
): readonly Following[] {
  const left = new Map(before.map(({ path, files }) => [path, files]));
  const following: Following[] = [];
  for (const { path, entries } of sets) {
    const places = new Map(entries.map((entry, place) => [entry.id, place]));
    const own = open.filter((file) => file.set === path);
    const files = own
      .filter((file) => places.has(file.id))
      .sort((a, b) => places.get(a.id)! - places.get(b.id)!);
    const known = left.get(path) ?? [];
    const writtenNs = new Map(entries.map((entry) => [entry.id, entry.mtimeNs]));
    for (const file of known) {
      if (!own.includes(file) || places.has(file.id)) continue;
      const older = known.slice(0, known.indexOf(file));
      const isOlder = (one: FollowedFile) =>
        older.includes(one) || (writtenNs.get(one.id) ?? 0n) < file.mtimeNs;
      files.splice(files.findLastIndex(isOlder) + 1, 0, file);
    }
    following.push({ path, files });
    left.delete(path);
  }
  // Sets that no path stands for any more, as all their files are gone: what is open is read to its end.
  for (const [path, files] of left) {
    const still = files.filter((file) => file.open !== undefined);
    if (still.length > 0) following.push({ path, files: still });
  }
  return following;
}
