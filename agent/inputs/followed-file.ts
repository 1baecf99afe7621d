import { closeSync, fstatSync } from 'node:fs';
import type { LineParser } from '../../parsers/line.ts';
import type { FileId } from './discover.ts';
import { Edges } from './edges.ts';
import type { HashState } from './hash.ts';
import { type Anchor, compare, HEAD_BYTES, SHORTER_BYTES_MIN, sameBytes, TAIL_BYTES } from './identity.ts';
import type { LineSplitter, LineState } from './lines.ts';
import { idSeed, recordId } from './record-id.ts';
import type { Source } from './source.ts';
import type { LineHandler } from './types.ts';

/** What a checkpoint's JSON holds. */
export interface SavedFile {
  readonly id: FileId;
  /** For people, and for the log: where it was last seen. */
  readonly path: string;
  readonly offset: number;
  readonly skipping?: true;
  /** All of it counts as read, though nobody looked: a compressed backup from before the first start. */
  readonly skipped?: true;
  /** The file as it was when it was closed, all of it read; while it is so there is nothing to look for. */
  readonly closedAs?: string;
  readonly anchor: Anchor;
  /** What was known when the directory was last listed; a backup may have been copied since. */
  readonly earlier: Anchor;
  /** A backup that was seen to be a copy of this content while it was read. */
  readonly copy?: { readonly id: FileId; readonly anchor: Anchor };
  readonly parser?: unknown;
}

/** An open descriptor and what it reads. */
export interface OpenFile {
  readonly fd: number;
  readonly source: Source;
  readonly packed: boolean;
}

const NOTHING: Anchor = { offset: 0, head: '', tail: '' };

/**
 * The content of one file: how far it was read, by what it is known again, and, while it is open, its
 * descriptor. The content may move to another file (a copy, a compressed backup); path and inode are then
 * the new one's, and offset, parser and record ids go on.
 *
 * `read` hands over whole lines and moves `offset` to the end of the last one. It looks at the bytes before the
 * offset after each read: if they are no longer what was read, the file was truncated or written anew, nothing
 * is handed over, and the caller is told.
 */
export class FollowedFile implements LineState {
  readonly key: string;
  readonly parser: LineParser;
  offset = 0;
  skipping = false;
  skipped = false;
  closedAs: string | undefined;

  id: FileId = '';
  path = '';
  /** The set that it belongs to, and whether it is what that set's writer writes to. */
  set = '';
  active = false;
  /** When a listing last showed it, or it was open. */
  seenMs = 0;
  /** When it last grew. */
  grownMs = 0;
  /** Reading failed; not before this time again. */
  retryMs = 0;
  open: OpenFile | undefined;
  /** There may be bytes to read. */
  pending = false;
  /** As last looked at. */
  size = 0;
  mtimeNs = -1n;
  dirty = true;
  earlier: Anchor = NOTHING;
  copy: SavedFile['copy'];

  readonly #node: string;
  #seed: HashState | undefined;
  readonly #edges = new Edges();
  /** From the offset to here everything is NUL. */
  #zerosTo = 0;
  /** The anchor of a content that is not open. */
  #closedAnchor: Anchor = NOTHING;

  constructor(key: string, parser: LineParser, node: string) {
    this.key = key;
    this.parser = parser;
    this.#node = node;
  }

  recordId(bytes: Buffer, start: number, end: number, offset: number): Buffer {
    this.#seed ??= idSeed(this.#node, this.#edges.head);
    return recordId(this.#seed, bytes, start, end, offset);
  }

  get anchor(): Anchor {
    return this.open === undefined ? this.#closedAnchor : this.#edges.anchor(this.offset);
  }

  /**
   * Takes a descriptor of a file that holds this content up to `offset`, and reads on from there.
   * @returns false, and nothing is taken, when the file was truncated since it was found to hold it
   */
  attach(open: OpenFile, offset: number): boolean {
    this.#edges.load(open.source, offset);
    if (this.open === undefined && offset > 0 && offset === this.#closedAnchor.offset) {
      const { head, tail } = this.#edges.anchor(offset);
      if (head !== this.#closedAnchor.head || tail !== this.#closedAnchor.tail) return false;
    }
    this.open = open;
    this.closedAs = undefined;
    this.offset = offset;
    this.#zerosTo = offset;
    this.retryMs = 0;
    this.mtimeNs = -1n;
    this.dirty = true;
    return true;
  }

  /** Counts everything before `offset` as read. */
  passTo(offset: number): void {
    if (this.open?.packed) this.skip();
    else if (this.open !== undefined && offset > this.offset) {
      const { mtimeNs, size } = this;
      this.attach(this.open, offset);
      this.mtimeNs = mtimeNs;
      this.size = size;
    }
  }

  /** Gives the descriptor away; what is known of the content stays. */
  detach(): OpenFile | undefined {
    this.#closedAnchor = this.anchor;
    const { open } = this;
    this.open = undefined;
    return open;
  }

  /** Counts all of it as read, however long it is. */
  skip(): void {
    this.skipped = true;
    const { head } = this.#edges;
    this.offset = head.length;
    this.#edges.advance(head, head.length);
    this.dirty = true;
  }

  close(): void {
    const open = this.detach();
    if (open !== undefined) closeSync(open.fd);
  }

  /**
   * Reads one chunk into `buffer` and hands its whole lines over.
   * @returns bytes read; 0 at the end; `changed` when the file no longer holds what was read of it
   */
  read(buffer: Buffer, splitter: LineSplitter, handler: LineHandler): number | 'changed' {
    const position = this.#zerosTo;
    const { source, packed } = this.open!;
    const end = source.read(buffer, 0, buffer.length, position);
    if (!packed && !this.#edges.areIn(source, this.offset)) return 'changed';
    if (end === 0) return 0;
    this.#edges.see(buffer, end, position);
    // Nothing was known of a file that had been empty: what is known now it must still hold.
    if (!packed && this.offset === 0 && !this.#edges.areIn(source, 0)) return 'changed';
    if (position > this.offset) {
      if (buffer[0] === 0 && isZero(buffer, end)) {
        this.#zerosTo += end;
        return end;
      }
      splitter.passNuls(position - this.offset);
      this.#advance(Buffer.alloc(TAIL_BYTES), Math.min(TAIL_BYTES, position - this.offset), position);
    }
    const consumed = splitter.split(this, buffer, end, handler);
    if (consumed > 0) this.#advance(buffer, consumed, this.offset + consumed);
    else if (buffer[0] === 0 && isZero(buffer, end)) this.#zerosTo += end;
    return end;
  }

  /**
   * Hands over what stands after the last newline: nothing more will be written. What was written after the
   * file was last looked at is left; it makes the file another than it was closed as, and is read then.
   */
  finish(buffer: Buffer, splitter: LineSplitter, handler: LineHandler): void {
    const { source, packed } = this.open!;
    const length = packed ? buffer.length : Math.min(buffer.length, this.size - this.offset);
    const end = length > 0 ? source.read(buffer, 0, length, this.offset) : 0;
    if (end === 0) return;
    splitter.rest(this, buffer, end, handler);
    this.skipping = false;
    this.#advance(buffer, end, this.offset + end);
  }

  /** Whether the file still holds what was read of it. */
  unchanged(): boolean {
    return this.open === undefined || this.open.packed || this.#edges.areIn(this.open.source, this.offset);
  }

  /** Moves the offset to `to`, `bytes[0, end)` being the bytes before it. */
  #advance(bytes: Buffer, end: number, to: number): void {
    this.#edges.advance(bytes, end);
    this.offset = to;
    this.#zerosTo = to;
    this.dirty = true;
  }

  save(): SavedFile {
    const parser = this.parser.save();
    return {
      id: this.id,
      path: this.path,
      offset: this.offset,
      ...(this.skipping && { skipping: true }),
      ...(this.skipped && { skipped: true }),
      ...(this.closedAs !== undefined && { closedAs: this.closedAs }),
      anchor: this.anchor,
      earlier: this.earlier,
      ...(this.copy && { copy: this.copy }),
      ...(parser !== undefined && { parser }),
    };
  }

  restore(saved: SavedFile): void {
    this.id = saved.id;
    this.path = saved.path;
    this.offset = saved.offset;
    this.skipping = saved.skipping === true;
    this.skipped = saved.skipped === true;
    this.closedAs = saved.closedAs;
    this.earlier = saved.earlier;
    this.copy = saved.copy;
    this.#closedAnchor = saved.anchor;
    this.dirty = false;
  }

  /** Notes what is known now: a copy that is made from now on holds at least that. */
  mark(): void {
    if (this.earlier.offset === this.offset) return;
    this.earlier = this.anchor;
    this.dirty = true;
  }

  /** Whether another file begins as this open one does, as far as both go. */
  beginsAs(other: Source): boolean {
    const own = this.open!.source;
    const length = Math.min(own.read(probe, 0, HEAD_BYTES, 0), other.read(probe, 0, HEAD_BYTES, 0));
    return sameBytes(own, other, length);
  }

  /** Whether another file's first `size` bytes are the first of this open one. */
  isCopiedBy(other: Source, size: number): boolean {
    return sameBytes(this.open!.source, other, size);
  }

  /** Whether another file holds all that this open one does. */
  isIn(other: Source): boolean {
    return sameBytes(this.open!.source, other, fstatSync(this.open!.fd).size);
  }

  /**
   * Where to read on in `source`, if it holds what was read; `all` if it holds less than was read, as a backup
   * does that was copied before the last lines were written.
   */
  heldBy(source: Source, id: FileId): number | 'all' | undefined {
    const { anchor, earlier, copy } = this;
    const found = compare(source, anchor);
    if (found === 'held') return this.skipped ? 'all' : this.offset;
    if (found === 'other') return undefined;
    if (copy?.id === id && copy.anchor.offset >= SHORTER_BYTES_MIN && compare(source, copy.anchor) === 'held')
      return 'all';
    if (earlier.offset >= SHORTER_BYTES_MIN && compare(source, earlier) === 'held') return 'all';
    return undefined;
  }
}

const probe = Buffer.allocUnsafe(HEAD_BYTES);

function isZero(bytes: Buffer, end: number): boolean {
  for (let i = 0; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
