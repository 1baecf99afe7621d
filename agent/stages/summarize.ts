import { createHash } from 'node:crypto';
import type { Disposition, SummaryRecord } from '../../parsers/record.ts';
import { formatRfc3339 } from '../../parsers/time.ts';
import { DROP_REASONS, type DropReason } from './line-class.ts';

const PERIOD_US = 60_000_000;
const DISPOSITIONS = ['allow', 'deny', 'unknown'] as const;

type Dropped = SummaryRecord['dropped'];

/** What has been dropped since the last summary, as JSON. */
interface Saved {
  readonly openedUs: number;
  readonly firstUs: number;
  readonly lastUs: number;
  readonly dropped: Dropped;
}

/**
 * Says in-band what was dropped, at most once a minute of event time.
 *
 * - A summary opens with the first drop and takes every drop until an event, of whatever input, that is
 *   a minute later, or a minute earlier because a clock was set back; that event ends it. `closeQuiet` ends it
 *   a minute after the clock first saw it, `close` at once.
 * - It counts connections, as the records would have: a line that stands for seven counts seven.
 * - Its id follows from what it says, so the same lines read again give the same id.
 */
export class Summarize {
  readonly #nodeName: string | undefined;
  readonly #out: (json: string) => void;
  #open: Saved | undefined;
  #seenUs: number | undefined;

  constructor(nodeName: string | undefined, out: (json: string) => void) {
    this.#nodeName = nodeName;
    this.#out = out;
  }

  add(timeUs: number, reason: DropReason, disposition: Disposition, connections: number): void {
    const { openedUs, firstUs, lastUs, dropped } = this.#open ?? {
      openedUs: timeUs,
      firstUs: timeUs,
      lastUs: timeUs,
      dropped: {},
    };
    const byDisposition = dropped[reason] ?? {};
    byDisposition[disposition] = (byDisposition[disposition] ?? 0) + connections;
    dropped[reason] = byDisposition;
    this.#open = { openedUs, firstUs: Math.min(firstUs, timeUs), lastUs: Math.max(lastUs, timeUs), dropped };
  }

  /** Ends the summary that an event at this time is a minute away from. */
  advance(timeUs: number): void {
    if (this.#open !== undefined && Math.abs(timeUs - this.#open.openedUs) >= PERIOD_US) this.close();
  }

  /** Ends by the clock what no event ends any more. */
  closeQuiet(nowUs: number): void {
    if (this.#open === undefined) return;
    this.#seenUs ??= nowUs;
    if (nowUs >= this.#seenUs + PERIOD_US) this.close();
  }

  close(): void {
    if (this.#open === undefined) return;
    const { firstUs, lastUs } = this.#open;
    const dropped = inOrder(this.#open.dropped);
    this.#open = undefined;
    this.#seenUs = undefined;
    const said = JSON.stringify([this.#nodeName ?? '', firstUs, lastUs, dropped]);
    const record: SummaryRecord = {
      id: createHash('sha256').update(said).digest('hex').slice(0, 32),
      log_type: 'summary',
      ...(this.#nodeName === undefined ? {} : { node_name: this.#nodeName }),
      timestamp: formatRfc3339(firstUs, 6),
      last_timestamp: formatRfc3339(lastUs, 6),
      dropped,
      source: { input: 'agent', format: 'summary' },
    };
    this.#out(JSON.stringify(record));
  }

  save(): Saved | null {
    return this.#open ?? null;
  }

  restore(saved: Saved | null): void {
    this.#open = saved ?? undefined;
  }
}

/** Reasons and dispositions in one order, whatever came first. */
function inOrder(dropped: Dropped): Dropped {
  const ordered: Dropped = {};
  for (const reason of DROP_REASONS) {
    const from = dropped[reason];
    if (from === undefined) continue;
    ordered[reason] = {};
    for (const disposition of DISPOSITIONS)
      if (from[disposition] !== undefined) ordered[reason][disposition] = from[disposition];
  }
  return ordered;
}
