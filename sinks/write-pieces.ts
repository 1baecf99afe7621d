import { writev } from 'node:fs';

/** Most buffers that the kernel takes in one call (IOV_MAX). */
const PIECES_MAX = 1024;

export interface Written {
  /** Bytes that the kernel took. */
  readonly bytes: number;
  /** Why it took no more; absent when it took all. */
  readonly error?: NodeJS.ErrnoException;
}

/**
 * Writes whole pieces in as few calls as the kernel allows, from the thread pool.
 * @param position where in the file to write; null for where the descriptor stands
 */
export async function writePieces(
  fd: number,
  pieces: readonly Buffer[],
  position: number | null,
): Promise<Written> {
  let bytes = 0;
  let rest = [...pieces];
  while (rest.length > 0) {
    const result = await writeSome(
      fd,
      rest.slice(0, PIECES_MAX),
      position === null ? null : position + bytes,
    );
    if (typeof result !== 'number') return { bytes, error: result };
    bytes += result;
    rest = skipBytes(rest, result);
  }
  return { bytes };
}

/** The pieces without their first `bytes` bytes. */
export function skipBytes(pieces: readonly Buffer[], bytes: number): Buffer[] {
  let index = 0;
  let skip = bytes;
  while (index < pieces.length && skip >= pieces[index]!.length) skip -= pieces[index++]!.length;
  const rest = pieces.slice(index);
  if (skip > 0) rest[0] = rest[0]!.subarray(skip);
  return rest;
}

function writeSome(
  fd: number,
  pieces: readonly Buffer[],
  position: number | null,
): Promise<number | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    writev(fd, pieces, position, (error, bytes) => resolve(error ?? bytes));
  });
}
