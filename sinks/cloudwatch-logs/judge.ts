import type { Answer } from '../http-client.ts';
import { describeAnswer, judgeAnswer } from '../http-outcome.ts';
import type { Outcome, Refusal } from '../sink.ts';

/** Codes that speak of who asks, and the key that signed. All come with 400 or 403. */
const UNAUTHORIZED = new Set([
  'AccessDeniedException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'UnrecognizedClientException',
]);
const BUSY = new Set([
  'LimitExceededException',
  'RequestLimitExceeded',
  'ServiceUnavailableException',
  'ThrottlingException',
]);

/** The code of an error, as `ThrottlingException`; undefined for success. */
export function errorCode({ status, headers, body }: Answer): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  const type = headers['x-amzn-errortype'] ?? asObject(body)?.__type;
  // `com.amazonaws.logs#ThrottlingException:http://…`
  return /^(?:[^#]*#)?(\w+)/.exec(String(type ?? ''))?.[1] ?? '';
}

/**
 * What an answer to PutLogEvents means.
 * @param count events in the request
 */
export function judgePutLogEvents(answer: Answer, count: number, nowMs: number): Outcome {
  const code = errorCode(answer);
  if (code === undefined) return judgeAccepted(answer, count);
  const reason = describe(answer, code);
  // Of the parameters, the names of group and stream come from the configuration: no record is at fault.
  if (code === 'InvalidParameterException' && !/log(Group|Stream)Name/.test(reason)) {
    return { kind: 'rejected', reason };
  }
  return judgeSettings(answer, nowMs);
}

/** What an error means that speaks of no record: whatever is wrong is to be put right, and the records wait. */
export function judgeSettings(answer: Answer, nowMs: number): Outcome {
  const code = errorCode(answer) ?? '';
  const reason = describe(answer, code);
  if (UNAUTHORIZED.has(code)) return { kind: 'retry', cause: 'unauthorized', reason };
  if (BUSY.has(code)) return { kind: 'retry', cause: 'busy', reason };
  const outcome = judgeAnswer(answer, nowMs);
  if (outcome === undefined || outcome.kind === 'rejected') return { kind: 'retry', cause: 'error', reason };
  return { ...outcome, reason };
}

/** `HTTP 400: ThrottlingException: Rate exceeded` */
export function describe(answer: Answer, code: string): string {
  if (code === '') return describeAnswer(answer);
  const { message, Message } = asObject(answer.body) ?? {};
  return describeAnswer({ ...answer, body: `${code}: ${message ?? Message ?? ''}` });
}

function judgeAccepted(answer: Answer, count: number): Outcome {
  const accepted = asObject(answer.body);
  if (accepted === undefined) {
    const reason = `${describeAnswer(answer)}: no CloudWatch Logs answers there`;
    return { kind: 'retry', cause: 'error', reason };
  }
  const refused = refusals(asObject(accepted.rejectedLogEventsInfo) ?? {}, count);
  return { kind: 'delivered', ...(refused.length > 0 && { refused }) };
}

/** A success names the events that it left out. They were sent in the order of time, so these are the ends. */
function refusals(info: Record<string, unknown>, count: number): Refusal[] {
  const end = (key: string) => Math.min(count, Number(info[key] ?? 0));
  const tooOldEnd = end('tooOldLogEventEndIndex');
  const expiredEnd = end('expiredLogEventEndIndex');
  const tooNewStart = Number(info.tooNewLogEventStartIndex ?? count);
  const refused: Refusal[] = [];
  for (let index = 0; index < count; index++) {
    if (index < tooOldEnd) refused.push({ index, reason: 'more than 14 days old' });
    else if (index < expiredEnd) refused.push({ index, reason: 'older than what the log group keeps' });
    else if (index >= tooNewStart) refused.push({ index, reason: 'more than 2 hours in the future' });
  }
  return refused;
}

/** The object that a JSON text stands for, or the value itself where it is one already. */
function asObject(json: unknown): Record<string, unknown> | undefined {
  try {
    const value: unknown = typeof json === 'string' ? JSON.parse(json) : json;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
