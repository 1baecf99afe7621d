import type { SplunkHecSinkOptions } from '../../agent/config/sinks/splunk-hec.ts';
import { readPath } from '../../parsers/read-path.ts';
import { originalText } from '../original-text.ts';
import { unixNanos } from '../record-time.ts';
import type { OutgoingRecord } from '../sink.ts';

type Options = Pick<SplunkHecSinkOptions, 'index' | 'source' | 'sourcetype' | 'fields' | 'indexed_fields'>;

/**
 * Makes the body of a request: one event behind the other, each the record with what Splunk files it under. Time has
 * microseconds, as much as Splunk keeps; a record without a time gets that of its arrival.
 */
export function eventsBody(options: Options): (records: readonly OutgoingRecord[]) => Buffer {
  const { index, source, sourcetype, fields } = options;
  const paths = options.indexed_fields.map((path) => [path, path.split('.')] as const);
  const fixed = Object.keys(fields).length > 0 ? fields : undefined;
  return (records) => {
    const pieces: Buffer[] = [];
    for (const record of records) {
      const logType = logTypeOf(record) ?? 'flow';
      const about = {
        host: nodeOf(record),
        source,
        sourcetype: sourcetype.replaceAll(LOG_TYPE, logType),
        index: index?.replaceAll(LOG_TYPE, logType),
        // Of the record as it is sent: what a shape has dropped must not leave the node here.
        fields: paths.length > 0 ? { ...fixed, ...indexed(record.value(), paths) } : fixed,
      };
      const time = secondsOf(timestampOf(record));
      const opening = time === undefined ? '{' : `{"time":${time},`;
      pieces.push(
        Buffer.from(`${opening}${JSON.stringify(about).slice(1, -1)},"event":`),
        record.json,
        CLOSING,
      );
    }
    return Buffer.concat(pieces);
  };
}

const timestampOf = originalText('timestamp');
const logTypeOf = originalText('log_type');
const nodeOf = originalText('node_name');
const LOG_TYPE = '{log_type}';
const CLOSING = Buffer.from('}\n');

/** Fields are flat: one value, or a list of texts where a path meets several. */
function indexed(
  record: Record<string, unknown>,
  paths: readonly (readonly [name: string, path: readonly string[]])[],
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, path] of paths) {
    const values: unknown[] = [];
    readPath(record, path, (value) => {
      if (typeof value !== 'object') values.push(value);
      return false;
    });
    if (values.length === 1) found[name] = values[0];
    else if (values.length > 1) found[name] = values.map(String);
  }
  return found;
}

const NANOS_DIGITS = 9;
const MICROS_DIGITS = 6;

/** Seconds since the epoch with up to six decimals, as a JSON number. */
function secondsOf(timestamp: string | undefined): string | undefined {
  const nanos = unixNanos(timestamp)?.padStart(NANOS_DIGITS + 1, '0');
  if (nanos === undefined) return undefined;
  const fraction = nanos.slice(-NANOS_DIGITS).slice(0, MICROS_DIGITS);
  return `${nanos.slice(0, -NANOS_DIGITS)}.${fraction}`;
}
