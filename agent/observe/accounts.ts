/**
 * The accounts of one input: every physical line falls into exactly one class, so that at any time
 *
 *   lines + restored = records + merged + filtered + foreign + unparsable + dropped + held
 *
 * where `held` is the windows that are open now (each holds the line that opened it, which becomes a record when
 * the window closes) and `restored` those that an earlier process had left open. Records that the agent makes
 * of itself (summaries) stand outside. Plain numbers, for they change with every line; the metrics read them
 * when they are scraped.
 */
export class Accounts {
  lines = 0;
  records = 0;
  merged = 0;
  foreign = 0;
  restored = 0;
  readonly filtered = new Tally();
  readonly unparsable = new Tally();
  readonly dropped = new Tally();
}

/** Counts by reason; the reasons are a bounded set, named by who counts. */
export class Tally {
  readonly #counts = new Map<string, number>();
  total = 0;

  add(reason: string, count = 1): void {
    this.total += count;
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + count);
  }

  entries(): IterableIterator<[reason: string, count: number]> {
    return this.#counts.entries();
  }
}

/** The accounts as one object, summed over inputs: the last line of `parse`, and what `run` logs when it stops. */
export interface AccountsSummary {
  lines: number;
  records: number;
  merged: number;
  filtered: number;
  foreign: number;
  unparsable: Record<string, number>;
  dropped: Record<string, number>;
  held: number;
  restored: number;
}

/** @param held windows that are open now */
export function summarizeAccounts(all: Iterable<Accounts>, held: number): AccountsSummary {
  const sum: AccountsSummary = {
    lines: 0,
    records: 0,
    merged: 0,
    filtered: 0,
    foreign: 0,
    unparsable: {},
    dropped: {},
    held,
    restored: 0,
  };
  for (const accounts of all) {
    sum.lines += accounts.lines;
    sum.records += accounts.records;
    sum.merged += accounts.merged;
    sum.filtered += accounts.filtered.total;
    sum.foreign += accounts.foreign;
    sum.restored += accounts.restored;
    for (const [reason, count] of accounts.unparsable.entries()) add(sum.unparsable, reason, count);
    for (const [reason, count] of accounts.dropped.entries()) add(sum.dropped, reason, count);
  }
  return sum;
}

function add(counts: Record<string, number>, reason: string, count: number): void {
  counts[reason] = (counts[reason] ?? 0) + count;
}
