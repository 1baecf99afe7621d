import { originalText } from '../original-text.ts';
import type { OutgoingRecord } from '../sink.ts';

/** What Hive, Athena and Spark read as "no value". */
const NO_VALUE = '__HIVE_DEFAULT_PARTITION__';

/** A batch's records of one hour, by their indices, in order. */
export interface Part {
  /** `dt=…/hour=…` in UTC. */
  readonly folder: string;
  readonly indices: number[];
}

/**
 * A batch by the hours of its records' own times, so that whoever looks into an hour's folder finds all of that hour
 * and nothing else; in the order in which the hours first occur. The same batch always gives the same parts.
 */
export function partition(records: readonly OutgoingRecord[]): Part[] {
  const parts = new Map<string, Part>();
  let part: Part | undefined;
  for (const [index, record] of records.entries()) {
    const folder = folderOf(timestampOf(record));
    if (part?.folder !== folder) {
      part = parts.get(folder) ?? { folder, indices: [] };
      parts.set(folder, part);
    }
    part.indices.push(index);
  }
  return [...parts.values()];
}

/** A record's `timestamp`. */
export const timestampOf = originalText('timestamp');

function folderOf(timestamp: unknown): string {
  const [, date, hour] = UTC.exec(String(timestamp)) ?? [];
  return `dt=${date ?? NO_VALUE}/hour=${hour ?? NO_VALUE}`;
}

const UTC = /^(\d{4}-\d\d-\d\d)T(\d\d):[\d:.]+Z$/;
