import type { Answer } from '../http-client.ts';
import { judgeAnswer } from '../http-outcome.ts';
import type { Outcome, Refusal } from '../sink.ts';

/** Codes of google.rpc that speak of the moment, or of a permission, and not of the entry. */
const TRANSIENT = new Map([
  [1, 'CANCELLED'],
  [4, 'DEADLINE_EXCEEDED'],
  [7, 'PERMISSION_DENIED'],
  [8, 'RESOURCE_EXHAUSTED'],
  [10, 'ABORTED'],
  [13, 'INTERNAL'],
  [14, 'UNAVAILABLE'],
  [16, 'UNAUTHENTICATED'],
]);

/**
 * What an answer to `entries:write` means. With `partialSuccess` the status is that of one entry which was not written;
 * the details name all of these, and the others were written. Without details nothing was.
 */
export function judgeWriteAnswer(answer: Answer, nowMs: number): Outcome {
  const failure = judgeAnswer(answer, nowMs);
  if (failure === undefined) return { kind: 'delivered' };
  const errors = entryErrors(answer.body);
  if (errors.length === 0 || answer.status === 401 || answer.status === 403) return failure;
  const refused: Refusal[] = [];
  const again: number[] = [];
  for (const { index, code, message } of errors) {
    if (TRANSIENT.has(code)) again.push(index);
    else refused.push({ index, reason: `${message} (code ${code})` });
  }
  if (again.length === 0) return { kind: 'delivered', refused };
  again.sort((a, b) => a - b);
  return { kind: 'delivered', refused, again, reason: failure.reason };
}

interface EntryError {
  readonly index: number;
  readonly code: number;
  readonly message: string;
}

/** The errors of WriteLogEntriesPartialErrors; none where the answer has no such details. */
function entryErrors(body: string): EntryError[] {
  try {
    const { details } = JSON.parse(body).error as { details: { logEntryErrors?: EntryErrors }[] };
    const { logEntryErrors = {} } = details.find((detail) => 'logEntryErrors' in detail) ?? {};
    return Object.entries(logEntryErrors).map(([index, { code = 2, message = '' }]) => ({
      index: Number(index),
      code,
      message,
    }));
  } catch {
    return [];
  }
}

type EntryErrors = Record<string, { code?: number; message?: string }>;
