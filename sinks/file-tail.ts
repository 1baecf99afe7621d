import { type FileHandle, open } from 'node:fs/promises';

const CHUNK_BYTES = 256 << 10;
const NEWLINE = 0x0a;

export interface FileTail {
  /** Ids of the records in the tail, as `readId` has them. */
  readonly ids: Set<string>;
  /** Where the current file's last whole line ends. */
  readonly wholeBytes: number;
}

/**
 * Reads the last `bytesMax` bytes of a rotated file: of `path`, then of `path.1`, and so on. Only whole lines
 * count.
 */
export async function readTail(path: string, filesMax: number, bytesMax: number): Promise<FileTail> {
  const ids = new Set<string>();
  let wholeBytes = 0;
  let rest = bytesMax;
  for (let n = 0; n <= filesMax && rest > 0; n++) {
    const handle = await openIfThere(n === 0 ? path : `${path}.${n}`);
    if (handle === undefined) continue;
    try {
      const { size } = await handle.stat();
      const start = Math.max(0, size - rest);
      const end = await eachLine(handle, start, size, (line) => ids.add(readId(line)));
      // A torn line longer than the tail: its beginning must be looked for further back.
      if (n === 0) wholeBytes = end > start || start === 0 ? end : await lastLineEnd(handle, start);
      rest -= size - start;
    } finally {
      await handle.close();
    }
  }
  return { ids, wholeBytes };
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Hands over the whole lines of `[start, size)`; where `start` is not 0, what comes before the first newline
 * belongs to a line that begins earlier.
 * @returns where the last whole line ends; `start` when there is none
 */
async function eachLine(
  handle: FileHandle,
  start: number,
  size: number,
  take: (line: Buffer) => unknown,
): Promise<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let carry: Buffer = Buffer.alloc(0);
  let isPartial = start > 0;
  let end = start;
  for (let at = start; at < size; ) {
    const { bytesRead } = await handle.read(chunk, 0, Math.min(CHUNK_BYTES, size - at), at);
    if (bytesRead === 0) break;
    const bytes = chunk.subarray(0, bytesRead);
    let from = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, from)) {
      const line = bytes.subarray(from, newline);
      if (!isPartial) take(carry.length > 0 ? Buffer.concat([carry, line]) : line);
      isPartial = false;
      carry = Buffer.alloc(0);
      from = newline + 1;
      end = at + from;
    }
    if (from < bytesRead) carry = Buffer.concat([carry, bytes.subarray(from)]);
    at += bytesRead;
  }
  return end;
}

async function lastLineEnd(handle: FileHandle, before: number): Promise<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let end = before; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, end - start, start);
    const newline = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

const ID_FIRST = Buffer.from('{"id":"');

/**
 * What tells one line from all others: the record's id, without decoding the record where the id comes first, as it
 * does in most of what we write; of a line that has no `id` to find, all of it.
 */
export function readId(json: Buffer): string {
  if (json.length > ID_FIRST.length && ID_FIRST.compare(json, 0, ID_FIRST.length) === 0) {
    const id = json.toString('latin1', ID_FIRST.length, json.indexOf('"', ID_FIRST.length));
    if (/^[\w:.-]+$/.test(id)) return id;
  }
  const line = json.toString();
  try {
    const { id } = JSON.parse(line) as { id?: unknown };
    return typeof id === 'string' ? id : line;
  } catch {
    return line;
  }
}
