import { ByteWriter, type Piece, pieceOf } from './byte-writer.ts';
import type { Enricher } from './line.ts';
import { NetworkPieces } from './network-pieces.ts';
import type { Stretch } from './policy-action-layout.ts';
import type { PolicyActionRecall } from './policy-action-recall.ts';
import type { PolicyActionScan } from './policy-action-scan.ts';
import * as at from './policy-action-slots.ts';
import type { Source } from './record.ts';
import { type SideMemory, UNKNOWN } from './side-memory.ts';

/**
 * Writes the record of a scanned line by copying the line's bytes: for lines whose members stand as the record
 * has them, so that only their order differs and some are added. What it writes is what `JSON.stringify` makes
 * of the decoded, enriched record.
 */
export class PolicyActionJson {
  readonly #sides: SideMemory;
  /** What ends every record of the input. */
  readonly #tail: Piece;
  readonly #json = new ByteWriter();
  readonly #networks = new NetworkPieces();

  constructor(source: Source, sides: SideMemory) {
    this.#sides = sides;
    this.#tail = pieceOf(`,"source":${JSON.stringify(source)}}`);
  }

  /** @returns where the JSON ends, or -1 where `out` may have too little room */
  write(
    scan: PolicyActionScan,
    { src, dest, texts }: PolicyActionRecall,
    layout: readonly Stretch[],
    id: Buffer,
    timeUs: number,
    out: Buffer,
    offset: number,
    enricher?: Enricher,
  ): number {
    const srcAdded =
      src === UNKNOWN ? this.#addedTo(scan, at.SRC_SIDE, at.SRC_IP, timeUs, enricher) : NOTHING;
    const destAdded =
      dest === UNKNOWN ? this.#addedTo(scan, at.DEST_SIDE, at.DEST_IP, timeUs, enricher) : NOTHING;
    const added = id.length + srcAdded.length + destAdded.length + this.#tail.length;
    if (scan.end - scan.start + added + ADDED_BYTES_MAX > out.length - offset) return -1;
    const json = this.#json;
    const line = scan.view;
    json.open(out, offset);
    json.piece(HEAD);
    json.range(id, 0, id.length);
    json.byte(QUOTE);
    for (let k = 0; k < layout.length; k++) {
      const { begins, from, to, side } = layout[k]!;
      if (begins) json.byte(COMMA);
      json.copy(line, texts[from.text]! + from.offset, texts[to.text]! + to.offset);
      if (side === at.SRC) this.#putSide(scan, side, src, srcAdded);
      else if (side === at.DEST) this.#putSide(scan, side, dest, destAdded);
    }
    json.piece(this.#tail);
    return json.at;
  }

  /** What the record has at the end of a side beyond the line, with a comma before it. */
  #addedTo(
    scan: PolicyActionScan,
    side: number,
    ipSlot: number,
    timeUs: number,
    enricher: Enricher | undefined,
  ): Piece {
    const { bytes, starts, ends } = scan;
    const note = isNamed(scan, side) ? RESOLVED : NOTHING;
    if (enricher === undefined) return note;
    const isInstance = starts[side + at.INSTANCE] !== 0;
    const hasNetwork = starts[side + at.NETWORK] !== 0;
    if (isInstance ? hasNetwork : scan.isSomebody(side)) return note;
    const slot = isInstance ? side + at.INSTANCE : ipSlot;
    const start = starts[slot]! + 1;
    const end = ends[slot]! - 1;
    if (isInstance && note === NOTHING) return this.#networks.find(enricher, bytes, start, end);
    const address = bytes.toString('latin1', start, end);
    const isOpen = note === NOTHING && starts[side + at.RESOLVED_BY] === 0 && !isInstance;
    const known = isOpen ? enricher.sideOf?.(address, undefined, timeUs) : undefined;
    if (known !== undefined) return pieceOf(`,${known.slice(1, -1)}`);
    const network = hasNetwork ? undefined : enricher.networkOf(address);
    const instance = isInstance ? '' : `,"instance":"${address}"`;
    const member = network === undefined ? '' : `,"network":${JSON.stringify(network)}`;
    return pieceOf(`${note === RESOLVED ? RESOLVED_TEXT : ''}${instance}${member}`);
  }

  /** @param known its place in the memory */
  #putSide({ view, starts, ends }: PolicyActionScan, slot: number, known: number, added: Piece): void {
    const json = this.#json;
    if (known !== UNKNOWN) {
      json.words(this.#sides.view, this.#sides.startOf(known), this.#sides.endOf(known));
      return;
    }
    const start = starts[slot]!;
    const end = ends[slot]!;
    if (end - start > 2) {
      json.copy(view, start, end - 1);
      json.piece(added);
    } else {
      const opened = json.at;
      json.piece(added);
      json.openAt(opened);
    }
    json.byte(CLOSE_BRACE);
  }
}

/** Whether a side has names, and nothing yet that says whose. */
function isNamed({ starts }: PolicyActionScan, side: number): boolean {
  if (starts[side + at.RESOLVED_BY] !== 0) return false;
  for (let k = 0; k < at.NAMES; k++) if (starts[side + k] !== 0) return true;
  return false;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;
const HEAD = pieceOf('{"id":"');
const NOTHING = pieceOf('');
const RESOLVED_TEXT = ',"resolved_by":"upstream"';
const RESOLVED = pieceOf(RESOLVED_TEXT);
/** What a record has beside the line's bytes, id, tail and what is added to sides: sides' notes and punctuation. */
const ADDED_BYTES_MAX = 128;
