import type { FlowRecord } from '../../parsers/record.ts';
import type { AggregateConfig } from '../config/schema.ts';

type KeyField = AggregateConfig['key'][number];

const VALUE_OF: { readonly [field in KeyField]: (record: FlowRecord) => string | number | undefined } = {
  src_ip: ({ connection }) => connection.src_ip,
  src_port: ({ connection }) => connection.src_port,
  dest_ip: ({ connection }) => connection.dest_ip,
  dest_port: ({ connection }) => connection.dest_port,
  protocol: ({ connection }) => connection.protocol,
  direction: ({ connection }) => connection.direction,
  prefix: ({ prefix }) => prefix,
};

/** Makes the function that gives a record's merge key: the configured fields and, always, its disposition. */
export function mergeKeyOf(fields: readonly KeyField[]): (record: FlowRecord) => string {
  const values = fields.map((field) => VALUE_OF[field]);
  return (record) => {
    let key: string = record.disposition;
    for (const value of values) key += `\n${value(record) ?? ''}`;
    return key;
  };
}
