import type { Delivered, Outcome, Retry } from '../../sinks/sink.ts';
import type { Log } from '../observe/log.ts';
import type { Collector } from './collect.ts';
import type { Ledger } from './ledger.ts';
import type { Pauses } from './pauses.ts';
import type { Refusals } from './refusals.ts';
import type { Shipment, Shipments } from './shipments.ts';
import type { DeliveryEvents } from './types.ts';

/** After so many single records in a row, a batch that is rejected is not taken apart any more. */
const REJECTED_IN_ROW_MAX = 8;

/** A request that came back. */
export interface Answered {
  readonly shipment: Shipment;
  readonly durationMs: number;
  /** The number of the last pause before it. */
  readonly pause: number;
}

export interface AnswersParts {
  readonly sink: string;
  readonly collector: Collector;
  readonly ledger: Ledger;
  readonly shipments: Shipments;
  readonly pauses: Pauses;
  readonly refusals: Refusals;
  readonly events: DeliveryEvents;
  readonly log: Log;
  /** Told of a failure, unless it is of a request that began before the last pause. */
  readonly failed: (retry: Retry) => void;
}

/**
 * What becomes of a shipment when its answer is there. Every record of it is settled in the ledger or sent again:
 *
 * - delivered: settled, and what was refused is in the dead letters before that; the rest is sent again;
 * - too large: sent again as two halves; a single record is refused;
 * - rejected: halved until the record at fault is found, which is refused; once it seems that everything is
 *   rejected, whole batches are;
 * - failed: sent again after a pause.
 *
 * What cannot be written to the dead letters is sent again too.
 */
export class Answers {
  readonly #parts: AnswersParts;
  /** Rejections of which nothing could be taken apart, since something was delivered. */
  #rejectedInRow = 0;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
  }

  take(answered: Answered, outcome: Outcome): void {
    if (outcome.kind === 'delivered') this.#settle(answered, outcome);
    else if (outcome.kind === 'too_large') this.#shrink(answered, outcome.reason);
    else if (outcome.kind === 'rejected') this.#narrow(answered, outcome.reason);
    else this.#sendAgain(answered.shipment, outcome.cause, outcome, answered.pause);
  }

  #settle(answered: Answered, outcome: Delivered): void {
    const { shipment, durationMs, pause } = answered;
    const { batch, entry, from } = shipment;
    const refused = outcome.refused ?? [];
    const again = new Set(outcome.again);
    let reason = outcome.reason ?? 'the destination asked for it';
    let refusedCount = refused.length;
    if (refused.length > 0) {
      const failure = this.#parts.refusals.bury(
        refused.map((one) => ({ json: batch.records[one.index]!.json, ...one })),
      );
      if (failure !== undefined) {
        // They stay ours until they are safe, at the price of another refusal.
        for (const { index } of refused) again.add(index);
        refusedCount = 0;
        reason = failure;
      }
    }
    const delivered = batch.count - refusedCount - again.size;
    if (delivered > 0) {
      this.#parts.events.delivered(delivered);
      this.#rejectedInRow = 0;
    }
    if (delivered + refusedCount > 0) this.#parts.pauses.recover(pause);
    if (again.size === 0) {
      this.#parts.shipments.succeeded(durationMs);
      this.#parts.ledger.settle(entry);
      return;
    }
    const rest = { batch: batch.pick([...again].sort((a, b) => a - b)), entry, from };
    const { afterMs } = outcome;
    const retry = {
      kind: 'retry',
      cause: 'busy',
      reason,
      ...(afterMs !== undefined && { afterMs }),
    } as const;
    this.#sendAgain(rest, 'partial', retry, pause);
  }

  /** The destination takes no request of this size. */
  #shrink(answered: Answered, reason: string): void {
    const { shipment } = answered;
    const { batch } = shipment;
    if (batch.count === 1) {
      this.#refuseAll(answered, reason);
      return;
    }
    this.#parts.collector.lowerBytesMax(batch.bytes >> 1);
    const details = { sink: this.#parts.sink, bytes: batch.bytes, reason };
    this.#parts.log.warn(details, 'request is too large: sending smaller ones from now on');
    this.#halve(shipment, 'too_large');
  }

  /** The destination refuses something in the batch: finds out what, unless it seems to refuse everything. */
  #narrow(answered: Answered, reason: string): void {
    const { shipment } = answered;
    const isHopeless = this.#rejectedInRow >= REJECTED_IN_ROW_MAX;
    if (shipment.batch.count > 1 && !isHopeless) {
      this.#halve(shipment, 'rejected');
      return;
    }
    this.#rejectedInRow++;
    this.#refuseAll(answered, reason);
  }

  #refuseAll({ shipment, pause }: Answered, reason: string): void {
    const failure = this.#parts.refusals.bury(shipment.batch.records.map(({ json }) => ({ json, reason })));
    if (failure !== undefined) {
      this.#sendAgain(shipment, 'error', { kind: 'retry', cause: 'error', reason: failure }, pause);
      return;
    }
    this.#parts.pauses.recover(pause);
    this.#parts.ledger.settle(shipment.entry);
  }

  #halve({ batch, entry, from }: Shipment, cause: 'too_large' | 'rejected'): void {
    this.#parts.events.retried(batch.count, cause);
    const [first, second] = batch.halves();
    entry.parts++;
    this.#parts.shipments.add({ batch: first, entry, from });
    this.#parts.shipments.add({ batch: second, entry, from: from + first.count });
  }

  #sendAgain(
    shipment: Shipment,
    cause: Parameters<DeliveryEvents['retried']>[1],
    retry: Retry,
    pause: number,
  ): void {
    this.#parts.events.retried(shipment.batch.count, cause);
    if (pause === this.#parts.pauses.number) this.#parts.failed(retry);
    this.#parts.shipments.add(shipment);
  }
}
