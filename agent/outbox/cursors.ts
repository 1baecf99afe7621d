/** How far one sink is. */
export interface SinkCursor {
  position: number;
  /** The position that is on the disk; 0 for none. */
  savedPosition: number;
  /** Bytes that were confirmed since. */
  unsavedBytes: number;
  /** Records that were taken from it. */
  dropped: number;
}

export type Cursors = Map<string, SinkCursor>;

export function newCursor(position: number, dropped = 0): SinkCursor {
  return { position, savedPosition: 0, unsavedBytes: 0, dropped };
}

export function isUnsaved(cursor: SinkCursor): boolean {
  return cursor.position !== cursor.savedPosition;
}

/** The lowest position; `end` where there is none. */
export function lowestPosition(cursors: Cursors, end: number): number {
  let lowest = end;
  for (const { position } of cursors.values()) lowest = Math.min(lowest, position);
  return lowest;
}

/** The cursors when all records before `position` are taken from every sink. */
export function takenUntil(cursors: Cursors, position: number): Cursors {
  const taken: Cursors = new Map();
  for (const [name, cursor] of cursors) {
    const records = Math.max(0, position - cursor.position);
    taken.set(name, { ...cursor, position: cursor.position + records, dropped: cursor.dropped + records });
  }
  return taken;
}
