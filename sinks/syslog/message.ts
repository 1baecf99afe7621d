import type { SyslogSinkOptions } from '../../agent/config/sinks/syslog.ts';
import { readPath } from '../../parsers/read-path.ts';
import type { OutgoingRecord } from '../sink.ts';
import { FACILITIES, SEVERITIES } from './priority.ts';

/** Longest value of a parameter; the rest is cut off. */
const VALUE_CHARS_MAX = 256;
const HOSTNAME_CHARS_MAX = 255;
const MSGID_CHARS_MAX = 32;
const NIL = '-';

/**
 * Makes the function that writes a record as an RFC 5424 message, without framing. What is sent for the record is the
 * message's text as it stands, without the byte order mark that would hide the JSON from its readers. Names and
 * values are cut at their bounds.
 */
export function messageFormat(options: SyslogSinkOptions): (record: OutgoingRecord) => Buffer {
  const { severity, structured_data: data } = options;
  const facility = FACILITIES.indexOf(options.facility) * 8;
  const priority = (name: keyof typeof severity) => `<${facility + SEVERITIES.indexOf(severity[name])}>1`;
  const priorities = {
    allow: priority('allow'),
    deny: priority('deny'),
    unknown: priority('unknown'),
    other: priority('other'),
  };
  const fields = data.fields.map((field) => ({ field, path: field.split('.') }));
  return (record) => {
    const value = record.original();
    const disposition = value.disposition as 'allow' | 'deny' | 'unknown' | undefined;
    const header = [
      priorities[disposition ?? 'other'],
      timestamp(value.timestamp),
      options.hostname ?? name(value.node_name, HOSTNAME_CHARS_MAX),
      options.app_name,
      NIL,
      name(value.log_type ?? 'flow', MSGID_CHARS_MAX),
      structuredData(value, data.id, fields),
    ];
    return Buffer.concat([Buffer.from(`${header.join(' ')} `), record.json]);
  };
}

/** A record's time; of its fraction the six digits that the format allows. */
function timestamp(time: unknown): string {
  return typeof time === 'string' ? time.replace(/(\.\d{6})\d+/, '$1') : NIL;
}

/** A text as a name of the header: printable ASCII without spaces. */
function name(text: unknown, charsMax: number): string {
  return typeof text === 'string' && text !== '' ? text.replaceAll(/[^!-~]/g, '_').slice(0, charsMax) : NIL;
}

function structuredData(
  record: object,
  id: string,
  fields: readonly { readonly field: string; readonly path: readonly string[] }[],
): string {
  let parameters = '';
  for (const { field, path } of fields) {
    const values: string[] = [];
    readPath(record, path, (value) => {
      if (typeof value !== 'object') values.push(String(value));
      return false;
    });
    if (values.length === 0) continue;
    const value = values
      .join(',')
      .slice(0, VALUE_CHARS_MAX)
      .replaceAll(/["\\\]]/g, '\\$&');
    parameters += ` ${field}="${value.replaceAll(/\p{Cc}/gu, ' ').toWellFormed()}"`;
  }
  return parameters === '' ? NIL : `[${id}${parameters}]`;
}
