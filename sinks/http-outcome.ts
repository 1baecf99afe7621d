import { AbortedError, type Answer } from './http-client.ts';
import type { Rejected, Retry, TooLarge } from './sink.ts';

const REASON_CHARS_MAX = 300;

/** Answers that speak of the address or the way there, not of the records: a refusal would lose them. */
const MISDIRECTED = new Set([404, 405, 407, 421]);
const BUSY = new Set([408, 425, 429, 503]);

/**
 * What an answer means for the whole request; undefined for success. Of the 4xx only those that speak of what was
 * sent reject it.
 */
export function judgeAnswer(answer: Answer, nowMs: number): Retry | TooLarge | Rejected | undefined {
  const { status } = answer;
  if (status >= 200 && status < 300) return undefined;
  const reason = describeAnswer(answer);
  if (status === 413) return { kind: 'too_large', reason };
  if (status === 401 || status === 403) return { kind: 'retry', cause: 'unauthorized', reason };
  if (status >= 400 && status < 500 && !BUSY.has(status) && !MISDIRECTED.has(status)) {
    return { kind: 'rejected', reason };
  }
  const afterMs = retryAfterMs(answer.headers['retry-after'], nowMs);
  const cause = BUSY.has(status) ? 'busy' : 'error';
  return { kind: 'retry', cause, reason, ...(afterMs !== undefined && { afterMs }) };
}

/** What an error of the connection means. */
export function judgeError(error: unknown): Retry {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = (message || code || String(error)).slice(0, REASON_CHARS_MAX);
  return { kind: 'retry', cause: error instanceof AbortedError ? 'timeout' : 'network', reason };
}

/** The status, and what the body says, in one short line. */
export function describeAnswer({ status, body }: Answer): string {
  const text = body.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return (text === '' ? `HTTP ${status}` : `HTTP ${status}: ${text}`).slice(0, REASON_CHARS_MAX);
}

/** `Retry-After`: seconds, or a date. */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
