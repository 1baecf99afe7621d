import { createHash } from 'node:crypto';
import { DISPOSITIONS, type Disposition, type SummaryRecord } from '../../parsers/record.ts';
import { formatRfc3339 } from '../../parsers/time.ts';
import { DROP_REASONS, type DropReason } from './line-class.ts';

const PERIOD_US = 60_000_000;

type Dropped = SummaryRecord['dropped'];

/** What has been dropped since the last summary. */
interface Open {
  /** When an event ends it. */
  readonly dueUs: number;
  readonly firstUs: number;
  readonly lastUs: number;
  readonly dropped: Dropped;
}

interface Saved {
  readonly open: Open | null;
  readonly endedUs: number;
}

/**
 * Says in-band what was dropped, at most once a minute of event time.
 *
 * - A summary opens with the first drop and takes every drop until an event, of whatever input, that is a minute
 *   later, and a minute after the event that ended the one before: so inputs whose clocks are apart, or a clock
 *   that jumps to and fro, do not make more of them.
 * - `closeQuiet` ends it a minute after the clock first saw it, `close` at once.
 * - It counts connections, as the records would have: a line that stands for seven counts seven.
 * - Its id follows from what it says, so the same lines read again give the same id.
 */
export class Summarize {
  readonly #nodeName: string | undefined;
  readonly #out: (json: string) => void;
  #open: Open | undefined;
  /** The event time at which one was ended last. */
  #endedUs = 0;
  #seenUs: number | undefined;

  constructor(nodeName: string | undefined, out: (json: string) => void) {
    this.#nodeName = nodeName;
    this.#out = out;
  }

  add(timeUs: number, reason: DropReason, disposition: Disposition, connections: number): void {
    const { dueUs, firstUs, lastUs, dropped } = this.#open ?? {
      dueUs: Math.max(timeUs, this.#endedUs) + PERIOD_US,
      firstUs: timeUs,
      lastUs: timeUs,
      dropped: {},
    };
    const byDisposition = dropped[reason] ?? {};
    byDisposition[disposition] = (byDisposition[disposition] ?? 0) + connections;
    dropped[reason] = byDisposition;
    this.#open = { dueUs, firstUs: Math.min(firstUs, timeUs), lastUs: Math.max(lastUs, timeUs), dropped };
  }

  /** Ends the summary if an event at this time does. */
  advance(timeUs: number): void {
    if (this.#open === undefined || timeUs < this.#open.dueUs) return;
    this.#endedUs = timeUs;
    this.close();
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

  save(): Saved {
    return { open: this.#open ?? null, endedUs: this.#endedUs };
  }

  restore({ open, endedUs }: Saved): void {
    this.#open = open ?? undefined;
    this.#endedUs = endedUs;
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
