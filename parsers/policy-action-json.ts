import type { Enricher } from './line.ts';
import type { PolicyActionScan } from './policy-action-scan.ts';
import * as at from './policy-action-slots.ts';
import type { Source } from './record.ts';

/**
 * Writes the record of a scanned line by copying the line's bytes: for lines whose members stand as the record
 * has them, so that only their order differs and some are added. What it writes is what `JSON.stringify` makes
 * of the decoded, enriched record.
 */
export class PolicyActionJson {
  /** What ends every record of the input. */
  readonly #tail: Buffer;
  #srcAdded: Buffer = NOTHING;
  #destAdded: Buffer = NOTHING;

  constructor(source: Source) {
    this.#tail = Buffer.from(`,"source":${JSON.stringify(source)}}`);
  }

  /** @returns where the JSON ends, or -1 where `out` may have too little room */
  write(
    scan: PolicyActionScan,
    id: string,
    timeUs: number,
    out: Buffer,
    offset: number,
    enricher?: Enricher,
  ): number {
    this.#srcAdded = addedTo(scan, at.SRC_SIDE, at.SRC_IP, timeUs, enricher);
    this.#destAdded = addedTo(scan, at.DEST_SIDE, at.DEST_IP, timeUs, enricher);
    const added =
      HEAD.length + id.length + this.#srcAdded.length + this.#destAdded.length + this.#tail.length;
    if (scan.end - scan.start + added + PUNCTUATION_BYTES > out.length - offset) return -1;
    let to = put(out, offset, HEAD);
    for (let k = 0; k < id.length; k++) out[to++] = id.charCodeAt(k);
    out[to++] = QUOTE;
    to = this.#putMembers(scan, out, to);
    return put(out, to, this.#tail);
  }

  /** Copies the members in the record's order, in as few runs as they stand in that order in the line. */
  #putMembers(scan: PolicyActionScan, out: Buffer, offset: number): number {
    const { bytes, starts, ends, keys, further, furtherCount } = scan;
    let to = offset;
    let runStart = 0;
    let runEnd = 0;
    for (let k = 0; k <= at.TIMESTAMP + furtherCount; k++) {
      if (k <= at.TIMESTAMP && starts[k] === 0) continue;
      const isFurther = k > at.TIMESTAMP;
      const keyAt = isFurther ? further[2 * (k - at.TIMESTAMP - 1)]! : keys[k]!;
      if (keyAt !== runEnd + 1 || runEnd === 0) {
        if (runEnd > 0) to += bytes.copy(out, to, runStart, runEnd);
        out[to++] = COMMA;
        runStart = keyAt;
      }
      runEnd = isFurther ? further[2 * (k - at.TIMESTAMP - 1) + 1]! : ends[k]!;
      const added = k === at.SRC ? this.#srcAdded : k === at.DEST ? this.#destAdded : NOTHING;
      if (added.length > 0) {
        to += bytes.copy(out, to, runStart, runEnd - 1);
        const isEmpty = runEnd - starts[k]! === 2;
        to = put(out, to, isEmpty ? added.subarray(1) : added);
        runStart = runEnd - 1;
      }
    }
    return to + bytes.copy(out, to, runStart, runEnd);
  }
}

/** What the record has at the end of a side beyond the line, with a comma before it. */
function addedTo(
  scan: PolicyActionScan,
  side: number,
  ipSlot: number,
  timeUs: number,
  enricher: Enricher | undefined,
): Buffer {
  const { bytes, starts, ends } = scan;
  const note = isNamed(scan, side) ? RESOLVED : NOTHING;
  if (enricher === undefined) return note;
  const isInstance = starts[side + at.INSTANCE] !== 0;
  const isSomebody =
    starts[side + at.POD_NAME] !== 0 ||
    starts[side + at.SIDE_NODE_NAME] !== 0 ||
    starts[side + at.WORKLOAD_NAME] !== 0;
  const hasNetwork = starts[side + at.NETWORK] !== 0;
  if (isInstance ? hasNetwork : isSomebody) return note;
  const slot = isInstance ? side + at.INSTANCE : ipSlot;
  const address = bytes.toString('latin1', starts[slot]! + 1, ends[slot]! - 1);
  const isOpen = note === NOTHING && starts[side + at.RESOLVED_BY] === 0 && !isInstance;
  const known = isOpen ? enricher.sideOf?.(address, undefined, timeUs) : undefined;
  if (known !== undefined) return Buffer.from(`,${known.slice(1, -1)}`);
  const network = hasNetwork ? undefined : enricher.networkOf(address);
  const instance = isInstance ? '' : `,"instance":"${address}"`;
  const member = network === undefined ? '' : `,"network":${JSON.stringify(network)}`;
  return Buffer.from(`${note === RESOLVED ? RESOLVED_TEXT : ''}${instance}${member}`);
}

/** Whether a side has names, and nothing yet that says whose. */
function isNamed({ starts }: PolicyActionScan, side: number): boolean {
  if (starts[side + at.RESOLVED_BY] !== 0) return false;
  for (let k = 0; k < at.NAMES; k++) if (starts[side + k] !== 0) return true;
  return false;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const HEAD = Buffer.from('{"id":"');
const NOTHING = Buffer.alloc(0);
const RESOLVED_TEXT = ',"resolved_by":"upstream"';
const RESOLVED = Buffer.from(RESOLVED_TEXT);
/** Quotes and commas between what is copied. */
const PUNCTUATION_BYTES = 32;

/** Short literals are faster copied here than by a call into the runtime. */
function put(out: Buffer, offset: number, bytes: Buffer): number {
  for (let k = 0; k < bytes.length; k++) out[offset + k] = bytes[k]!;
  return offset + bytes.length;
}
