import type { Outcome, Refusal, Retry } from '../sink.ts';

const REASON_CHARS_MAX = 300;

/** What is read of an answer to `_bulk`: `BULK_FILTER` asks for no more. */
interface BulkAnswer {
  readonly errors?: boolean;
  readonly items?: readonly { readonly create?: BulkItem }[];
}
interface BulkItem {
  readonly status?: number;
  readonly error?: { readonly type?: string; readonly reason?: string };
}

/** Keeps answers short; parameters of the request. */
export const BULK_FILTER = 'filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason';

/**
 * What became of the records, by the answer to a `_bulk` request that was taken as a whole.
 *
 * - 2xx, and 409 (it was there already): delivered.
 * - 429 and 5xx: again.
 * - 401, 403 and 404 speak of permissions, of an index that is blocked or missing: no record is at fault, so again.
 * - Other 4xx: the record does not fit the index, and never will.
 */
export function judgeItems(body: string, count: number): Outcome {
  const answer = parse(body);
  if (answer?.errors === false) return { kind: 'delivered' };
  if (answer?.items?.length !== count) {
    const reason = `an answer that is none of _bulk: ${body.slice(0, REASON_CHARS_MAX)}`;
    return { kind: 'retry', cause: 'error', reason };
  }
  const refused: Refusal[] = [];
  const again: number[] = [];
  let why: BulkItem | undefined;
  for (const [index, { create = {} }] of answer.items.entries()) {
    const { status = 0 } = create;
    if ((status >= 200 && status < 300) || status === 409) continue;
    if (isRecordAtFault(status)) {
      refused.push({ index, reason: describe(create) });
    } else {
      again.push(index);
      why ??= create;
    }
  }
  if (why === undefined) return { kind: 'delivered', ...(refused.length > 0 && { refused }) };
  const reason = describe(why);
  if (again.length === count) return { kind: 'retry', cause: causeOf(why.status), reason };
  return { kind: 'delivered', ...(refused.length > 0 && { refused }), again, reason };
}

const NOT_THE_RECORD = new Set([401, 403, 404, 408, 429]);

function isRecordAtFault(status: number): boolean {
  return status >= 400 && status < 500 && !NOT_THE_RECORD.has(status);
}

function causeOf(status: number | undefined): Retry['cause'] {
  if (status === 401 || status === 403) return 'unauthorized';
  return status === 429 || status === 503 ? 'busy' : 'error';
}

function describe({ status, error }: BulkItem): string {
  return `${status ?? 'no status'} ${error?.type ?? ''}: ${error?.reason ?? ''}`.slice(0, REASON_CHARS_MAX);
}

function parse(body: string): BulkAnswer | undefined {
  try {
    return JSON.parse(body) as BulkAnswer;
  } catch {
    return undefined;
  }
}
