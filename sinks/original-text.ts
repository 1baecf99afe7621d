import type { OutgoingRecord } from './sink.ts';
import { topLevelText } from './top-level-text.ts';

/**
 * Reads one text of a record as the agent made it. The record is decoded only where the text has an escape in it: to
 * decode a backlog for an id and a time would take more memory than the rest of the sink.
 * @param key at the top level
 */
export function originalText(key: string): (record: OutgoingRecord) => string | undefined {
  const begin = Buffer.from(`"${key}":"`);
  return (record) => {
    if (!record.originalJson.includes(begin)) return undefined;
    const text = topLevelText(record.originalJson, begin) ?? record.original()[key];
    return typeof text === 'string' ? text : undefined;
  };
}
