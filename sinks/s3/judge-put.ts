import type { Answer } from '../http-client.ts';
import { describeAnswer, judgeAnswer } from '../http-outcome.ts';
import type { Outcome } from '../sink.ts';

/** Codes that come with 400 and speak of the credentials. */
const UNAUTHORIZED = new Set([
  'AuthorizationHeaderMalformed',
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
]);

/**
 * What a store's answer to a PUT means. A store does not look into objects, so it never refuses records: whatever is
 * wrong lies in the settings or the permissions, and the records wait until it is put right.
 */
export function judgePut(answer: Answer, nowMs: number): Outcome {
  const outcome = judgeAnswer(answer, nowMs);
  if (outcome === undefined) {
    if (answer.headers.etag !== undefined) return { kind: 'delivered' };
    return {
      kind: 'retry',
      cause: 'error',
      reason: `HTTP ${answer.status} without an ETag: no S3 store answers there`,
    };
  }
  const [, code = ''] = /<Code>(\w+)<\/Code>/.exec(answer.body) ?? [];
  if (code === 'EntityTooLarge') return { kind: 'too_large', reason: describe(answer) };
  if (UNAUTHORIZED.has(code)) return { kind: 'retry', cause: 'unauthorized', reason: describe(answer) };
  if (outcome.kind === 'rejected') return { kind: 'retry', cause: 'error', reason: describe(answer) };
  return { ...outcome, reason: describe(answer) };
}

/** `HTTP 403 AccessDenied: Access Denied`, out of the answer's XML. */
function describe(answer: Answer): string {
  const [, code] = /<Code>([^<]*)<\/Code>/.exec(answer.body) ?? [];
  const [, message] = /<Message>([^<]*)<\/Message>/.exec(answer.body) ?? [];
  if (code === undefined) return describeAnswer(answer);
  return describeAnswer({ ...answer, body: `${code}${message ? `: ${message}` : ''}` });
}
