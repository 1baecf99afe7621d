import { originalText } from '../original-text.ts';
import type { OutgoingRecord } from '../sink.ts';
import { indexNames } from './index-name.ts';

const idOf = originalText('id');
const timestampOf = originalText('timestamp');
const logTypeOf = originalText('log_type');
const NEWLINE = Buffer.from('\n');
const TIMESTAMP_KEY = Buffer.from('"@timestamp":');
const EMPTY_OBJECT_BYTES = 2;

/**
 * Makes bodies for `_bulk`: two lines for each record, the second of which is the record with an `@timestamp`, for a
 * data stream takes nothing without it. The action is `create` under the record's id: what is there already is not
 * written again.
 */
export function bulkBody(index: string): (records: readonly OutgoingRecord[], nowMs: number) => Buffer {
  const nameOf = indexNames(index);
  return (records, nowMs) => {
    const now = new Date(nowMs).toISOString();
    const pieces: Buffer[] = [];
    for (const record of records) {
      const timestamp = timestampOf(record) ?? now;
      const action = { create: { _index: nameOf(logTypeOf(record), timestamp), _id: idOf(record) } };
      if (hasTimestamp(record)) {
        pieces.push(Buffer.from(`${JSON.stringify(action)}\n`), record.json, NEWLINE);
      } else {
        const comma = record.json.length > EMPTY_OBJECT_BYTES ? ',' : '';
        const opening = `{"@timestamp":${JSON.stringify(timestamp)}${comma}`;
        pieces.push(Buffer.from(`${JSON.stringify(action)}\n${opening}`), record.json.subarray(1), NEWLINE);
      }
    }
    return Buffer.concat(pieces);
  };
}

/** Whether the record brings an `@timestamp` of its own, as ECS has it. Decoded only where the key occurs somewhere. */
function hasTimestamp(record: OutgoingRecord): boolean {
  return record.json.includes(TIMESTAMP_KEY) && Object.hasOwn(record.value(), '@timestamp');
}
