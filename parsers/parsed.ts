import { type ForeignLine, type RefusedLine, UNPARSABLE_REASONS, type UnparsableReason } from './line.ts';

/** The parsed lines that carry nothing, made once. */
export const FOREIGN: ForeignLine = { kind: 'foreign' };
export const REFUSED = Object.fromEntries(
  UNPARSABLE_REASONS.map((reason) => [reason, { kind: 'unparsable', reason }]),
) as Readonly<Record<UnparsableReason, RefusedLine>>;
