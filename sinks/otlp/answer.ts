import type { Answer } from '../http-client.ts';
import { describeAnswer, judgeAnswer } from '../http-outcome.ts';
import type { Outcome } from '../sink.ts';
import { decodeAnswer, type PartialSuccess } from './protobuf.ts';

/** Answers that speak of a receiver which is not ready; the protocol allows no other to be tried again. */
const RETRIED = new Set([429, 502, 503, 504]);

/**
 * What a receiver's answer means for `count` records.
 *
 * - A partial success must not be tried again, and names only a number. Where it is not that of all records, any of
 *   them may be at fault: all are refused, so that they stand among the dead letters and none is lost.
 * - A request that cannot be taken (400) may be one record's fault: smaller ones show which. What was taken is not in
 *   it, for such a request is refused as a whole.
 * - Other server errors than those that may be tried again refuse the batch at once.
 */
export function judgeLogsAnswer(answer: Answer, count: number, nowMs: number): Outcome {
  const { status } = answer;
  if (status >= 500 && !RETRIED.has(status)) return refuseAll(count, describeAnswer(answer));
  // A receiver that does not know the encoding refuses the settings, not the records.
  if (status === 415) return { kind: 'retry', cause: 'error', reason: describeAnswer(answer) };
  const failure = judgeAnswer(answer, nowMs);
  if (failure) return failure;
  const { rejectedLogRecords: rejected, errorMessage } = partialSuccess(answer);
  if (rejected <= 0) return { kind: 'delivered' };
  return refuseAll(count, `${rejected} of ${count} records were refused: ${errorMessage}`);
}

function refuseAll(count: number, reason: string): Outcome {
  return { kind: 'delivered', refused: Array.from({ length: count }, (_, index) => ({ index, reason })) };
}

const NONE: PartialSuccess = { rejectedLogRecords: 0, errorMessage: '' };

/** A body that is no such message says nothing: the status has said that all was taken. */
function partialSuccess({ headers, body, bytes }: Answer): PartialSuccess {
  try {
    if (headers['content-type']?.startsWith('application/x-protobuf')) return decodeAnswer(bytes);
    const { rejectedLogRecords = 0, errorMessage = '' } = JSON.parse(body).partialSuccess;
    return { rejectedLogRecords: Number(rejectedLogRecords), errorMessage };
  } catch {
    return NONE;
  }
}
