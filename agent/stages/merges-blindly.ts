import type { AggregateConfig, SelectConfig } from '../config/schema.ts';
import { type FilterConfig, fieldsOf } from './filter.ts';

/** What two lines with the same raw key may say differently. */
const VARYING = new Set(
  'id connection.src_port count timestamp last_timestamp packets bytes src_ports packet'.split(' '),
);
/** Of the packet, what is in the raw key. */
const IN_RAW_KEY = new Set(['packet.in', 'packet.out', 'packet.physin', 'packet.physout']);

/**
 * Whether a line whose raw key has merged into an open window may merge without a look at its record: so it is
 * where neither filter nor merge key looks at anything that such lines may say differently. What the window's
 * first line decided is then decided for them.
 */
export function mergesBlindly(select: SelectConfig, aggregate: AggregateConfig): boolean {
  if (aggregate.level === 'connection' && aggregate.key.includes('src_port')) return false;
  const filters: readonly FilterConfig[] = [...select.include, ...select.exclude];
  return !filters.flatMap(fieldsOf).some(varies);
}

function varies(field: string): boolean {
  if (IN_RAW_KEY.has(field)) return false;
  return VARYING.has(field) || field === 'connection' || field.startsWith('packet.');
}
