import type { OutgoingRecord, Refusal } from '../sink.ts';

// What PutLogEvents takes: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
export const REQUEST_BYTES_MAX = 1_048_576;
export const EVENT_OVERHEAD_BYTES = 26;
export const EVENTS_MAX = 10_000;
export const SPAN_MS_MAX = 86_400_000;

export interface LogEvent {
  /** ms since the epoch */
  readonly timestamp: number;
  readonly message: string;
}

/** What goes into one request, in the order of time. */
export interface EventPart {
  readonly indices: number[];
  readonly events: LogEvent[];
}

/**
 * A batch's records as events, in as few requests as may hold them; and the records that no request may hold.
 * @param nowMs time of records that have none
 */
export function eventParts(
  records: readonly OutgoingRecord[],
  nowMs: number,
): { parts: EventPart[]; refused: Refusal[] } {
  const refused: Refusal[] = [];
  const timed: { index: number; timestamp: number }[] = [];
  for (const [index, record] of records.entries()) {
    if (record.json.length + EVENT_OVERHEAD_BYTES > REQUEST_BYTES_MAX) {
      refused.push({ index, reason: `${record.json.length} bytes: an event has at most 1 MiB` });
    } else timed.push({ index, timestamp: timeOf(record) ?? nowMs });
  }
  timed.sort((a, b) => a.timestamp - b.timestamp || a.index - b.index);

  const parts: EventPart[] = [];
  let part: EventPart | undefined;
  let bytes = 0;
  for (const { index, timestamp } of timed) {
    const { json } = records[index]!;
    const size = json.length + EVENT_OVERHEAD_BYTES;
    if (
      part === undefined ||
      bytes + size > REQUEST_BYTES_MAX ||
      part.events.length >= EVENTS_MAX ||
      timestamp - part.events[0]!.timestamp > SPAN_MS_MAX
    ) {
      part = { indices: [], events: [] };
      parts.push(part);
      bytes = 0;
    }
    part.indices.push(index);
    part.events.push({ timestamp, message: json.toString() });
    bytes += size;
  }
  return { parts, refused };
}

function timeOf(record: OutgoingRecord): number | undefined {
  const ms = Date.parse(String(record.original().timestamp));
  return ms >= 0 ? ms : undefined;
}
