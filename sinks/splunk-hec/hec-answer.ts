import type { Answer } from '../http-client.ts';
import { describeAnswer, judgeAnswer } from '../http-outcome.ts';
import type { Outcome } from '../sink.ts';

/** Success, and the number under which to ask for the acknowledgement, where the token has one. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly ackId?: number;
}

interface HecAnswer {
  readonly code?: number;
  readonly ackId?: number;
  readonly 'invalid-event-number'?: number;
}

/** Invalid data format; event field is required, or blank; error in handling indexed fields. */
const ONE_EVENT = new Set([6, 12, 13, 15]);
/**
 * No data (something on the way took it); incorrect index; data channel is missing, or invalid; acknowledgement or
 * authorization in the query is disabled: the settings are wrong, here or there, and no record is at fault.
 */
const SETTINGS = new Set([5, 7, 10, 11, 14, 16]);

/**
 * What the collector's answer means for `count` events. Where it names an event that it refuses, it has taken those
 * before it, and not looked at those behind it.
 */
export function judgeEvents(answer: Answer, count: number, nowMs: number): Accepted | Outcome {
  const { code, ackId, 'invalid-event-number': number } = readHec(answer);
  if (answer.status === 200 && code === 0) {
    return { kind: 'accepted', ...(Number.isInteger(ackId) && { ackId: ackId! }) };
  }
  const reason = describeAnswer(answer);
  if (answer.status === 400 && code !== undefined && ONE_EVENT.has(code) && isIndex(number, count)) {
    const again = Array.from({ length: count - number - 1 }, (_, n) => number + 1 + n);
    return {
      kind: 'delivered',
      refused: [{ index: number, reason }],
      ...(again.length > 0 && { again, reason: 'they stood behind an event that was refused' }),
    };
  }
  if (answer.status === 400 && code !== undefined && SETTINGS.has(code)) {
    return { kind: 'retry', cause: 'error', reason };
  }
  // Success that is none of the collector's comes from somebody else.
  return judgeAnswer(answer, nowMs) ?? { kind: 'retry', cause: 'error', reason };
}

/** Whether the answer to a question about acknowledgements says that this one is there; undefined for no such answer. */
export function readAck(answer: Answer, ackId: number): boolean | undefined {
  const acks = parse<{ acks?: Record<string, unknown> }>(answer.body)?.acks;
  return answer.status === 200 && acks ? acks[ackId] === true : undefined;
}

function isIndex(number: number | undefined, count: number): number is number {
  return Number.isInteger(number) && number! >= 0 && number! < count;
}

function readHec({ body }: Answer): HecAnswer {
  return parse<HecAnswer>(body) ?? {};
}

function parse<T extends object>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
