import type { PolicyActionScan } from './policy-action-scan.ts';
import * as at from './policy-action-slots.ts';
import type { Gap } from './shape-memory.ts';

/** A place in a line: so many bytes behind the beginning of one of the texts between its gaps. */
interface Place {
  readonly text: number;
  readonly offset: number;
}

/** A stretch of a line that a record has as it stands. */
export interface Stretch {
  /** Whether it needs a comma before it, for it does not go on where the last one ended. */
  readonly begins: boolean;
  readonly from: Place;
  readonly to: Place;
  /** The side whose object is due behind it: `SRC` or `DEST`; or -1. */
  readonly side: number;
}

/**
 * How the record of a plain line is made of the line: its members in the record's order, in as few stretches as they
 * stand in that order in the line.
 * @param gaps what the places are counted from; without any, from the line's beginning
 */
export function layoutOf(scan: PolicyActionScan, gaps: readonly Gap[]): Stretch[] {
  const { start, starts, ends, keys, further, furtherCount } = scan;
  const texts = [start, ...gaps.map(({ end }) => end)];
  const placeOf = (position: number): Place => {
    const text = texts.findLastIndex((from) => from <= position);
    return { text, offset: position - texts[text]! };
  };
  const stretches: Stretch[] = [];
  let begins = true;
  let from = 0;
  let to = -1;
  const put = (until: number, side: number) => {
    stretches.push({ begins, from: placeOf(from), to: placeOf(until), side });
    begins = false;
  };
  const member = (keyAt: number, end: number) => {
    if (keyAt !== to + 1) {
      if (to >= 0) put(to, -1);
      begins = true;
      from = keyAt;
    }
    to = end;
  };
  for (let slot = 0; slot <= at.TIMESTAMP; slot++) {
    if (starts[slot] === 0) continue;
    member(keys[slot]!, ends[slot]!);
    if (slot !== at.SRC && slot !== at.DEST) continue;
    put(starts[slot]!, slot);
    from = to;
  }
  for (let k = 0; k < furtherCount; k++) member(further[2 * k]!, further[2 * k + 1]!);
  put(to, -1);
  return stretches;
}
