import type { OutgoingRecord } from '../sink.ts';
import { timestampOf } from './partition.ts';

const SUFFIX = { none: '.ndjson', gzip: '.ndjson.gz', zstd: '.ndjson.zst' } as const;

export interface KeyOptions {
  readonly key_prefix: string;
  readonly cluster?: string | undefined;
  readonly compression: keyof typeof SUFFIX;
}

/**
 * The key of an object that holds these records: the folder, the node, and time and id of the first and of the last
 * record, which no other object has. The same records always give the same key.
 */
export function objectKey(
  { key_prefix: prefix, cluster, compression }: KeyOptions,
  folder: string,
  first: OutgoingRecord,
  last: OutgoingRecord,
): string {
  const node = String(first.original().node_name ?? 'node').replaceAll(/[^\w.-]/g, '_');
  const name = `${node}-${describe(first)}-${describe(last)}${SUFFIX[compression]}`;
  return `${prefix}${cluster === undefined ? '' : `cluster=${cluster}/`}${folder}/${name}`;
}

/** The key as the path of a URL, each character but RFC 3986's unreserved ones and the slash encoded. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `20261121T101502Z_ID`; of a record without a time, its id alone. No dashes: they stand between the parts. */
function describe(record: OutgoingRecord): string {
  const { id } = record.original();
  const [toSecond] = /^[\dT:-]{19}/.exec(String(timestampOf(record))) ?? [];
  const time = toSecond === undefined ? '' : `${toSecond.replaceAll(/[:-]/g, '')}Z_`;
  return `${time}${String(id).replaceAll(/\W/g, '_')}`;
}
