import type { Endpoint, MergeFields } from '../../parsers/record.ts';
import type { AggregateConfig } from '../config/schema.ts';

type KeyField = AggregateConfig['key'][number];

const VALUE_OF: { readonly [field in KeyField]: (fields: MergeFields) => string | number | undefined } = {
  src_ip: ({ connection, src }) => connection.src_ip ?? nameOf(src),
  src_port: ({ connection }) => connection.src_port,
  dest_ip: ({ connection, dest }) => connection.dest_ip ?? nameOf(dest),
  dest_port: ({ connection }) => connection.dest_port,
  protocol: ({ connection }) => connection.protocol,
  direction: ({ connection }) => connection.direction,
  prefix: ({ prefix }) => prefix,
};

/** Who a side is, where its address was aggregated away. */
function nameOf(side: Endpoint = {}): string {
  return `${side.namespace ?? ''}/${side.pod_name ?? side.workload_name ?? side.instance ?? side.network ?? ''}`;
}

/** Makes the function that gives a record's merge key: the configured fields and, always, its disposition. */
export function mergeKeyOf(fields: readonly KeyField[]): (of: MergeFields) => string {
  const values = fields.map((field) => VALUE_OF[field]);
  return (of) => {
    let key: string = of.disposition;
    for (const value of values) key += `\n${value(of) ?? ''}`;
    return key;
  };
}
