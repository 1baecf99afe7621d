import type { Candidate } from './candidate.ts';
import type { FollowedFile } from './followed-file.ts';
import { anchorOf, SAME_BYTES_MIN } from './identity.ts';

/** A content, and where to read on in the file that was found to hold it: nowhere, if `all` was read. */
export interface Recognised {
  readonly file: FollowedFile;
  readonly held: number | 'all';
}

/**
 * Whether a backup holds the bytes of a file that is open and intact, so that nothing needs to be read here. The
 * copy is noted with the content that it is a copy of.
 */
export function isCopyOfOpen({ entry, open, size }: Candidate, contents: Iterable<FollowedFile>): boolean {
  if (entry.active) return false;
  for (const file of contents) {
    if (file.open === undefined || file.open.packed || file.set !== entry.set) continue;
    if (open.packed) {
      // It may be the compressed copy of a backup that is still open. It is looked at again when that is not.
      if (!file.active && file.beginsAs(open.source)) return true;
    } else if (file.active && file.isCopiedBy(open.source, size)) {
      const anchor = anchorOf(open.source, size);
      if (anchor !== undefined) file.copy = { id: entry.id, anchor };
      file.dirty = true;
      return true;
    }
  }
  return false;
}

/**
 * Which of the contents that are nowhere else this file holds: that of which most is known. A content that was
 * read further than this file goes counts only if no other file goes on with it.
 * @param absent the contents that are nowhere else
 * @param others the files that may go on; left out, only a file that goes on counts
 */
export function recognise(
  { entry, open }: Candidate,
  absent: Iterable<FollowedFile>,
  others?: readonly Candidate[],
): Recognised | undefined {
  let best: (Recognised & { rank: number }) | undefined;
  for (const file of absent) {
    const sameFile = file.id === entry.id;
    if (!sameFile && (file.skipped || (entry.active && file.anchor.offset < SAME_BYTES_MIN))) continue;
    const held = file.heldBy(open.source, entry.id);
    if (held === undefined || (file.open !== undefined && !file.isIn(open.source))) continue;
    if (held === 'all' && !file.skipped) {
      if (others === undefined) continue;
      if (others.some((other) => typeof file.heldBy(other.open.source, other.entry.id) === 'number'))
        continue;
    }
    const rank = (held === 'all' ? 0 : file.offset) + (sameFile ? 0.5 : 0);
    if (best === undefined || rank > best.rank) best = { file, held, rank };
  }
  return best;
}
