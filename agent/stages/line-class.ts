/** What became of one connection's line; each line has exactly one. */
export type LineClass =
  | { readonly kind: 'recorded' | 'opened' | 'merged' }
  | { readonly kind: 'filtered'; readonly reason: FilterReason }
  | { readonly kind: 'dropped'; readonly reason: DropReason };

export type FilterReason = (typeof FILTER_REASONS)[number];
export type DropReason = (typeof DROP_REASONS)[number];

/** `disposition`: not logged at all; `delegate`: no annotation asks for it; the others: that list's doing. */
const FILTER_REASONS = ['disposition', 'delegate', 'include', 'exclude'] as const;
/** `aggregation_limit`: too many open windows; `rate_limit`: no token. */
export const DROP_REASONS = ['aggregation_limit', 'rate_limit'] as const;

/** It left as a record of its own. */
export const RECORDED: LineClass = { kind: 'recorded' };
/** It opened a window, and becomes a record when that closes. */
export const OPENED: LineClass = { kind: 'opened' };
/** It is part of an open window's record. */
export const MERGED: LineClass = { kind: 'merged' };

export const FILTERED = Object.fromEntries(
  FILTER_REASONS.map((reason) => [reason, { kind: 'filtered', reason }]),
) as { readonly [reason in FilterReason]: LineClass };

export const DROPPED = Object.fromEntries(
  DROP_REASONS.map((reason) => [reason, { kind: 'dropped', reason }]),
) as { readonly [reason in DropReason]: LineClass };
