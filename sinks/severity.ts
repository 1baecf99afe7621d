/** How much a record asks for attention, in syslog's words. */
export type Severity = 'info' | 'notice' | 'warning';

/** A denial and a report of dropped records warn; a connection without a verdict is worth a look. */
export function severityOf(record: Record<string, unknown>): Severity {
  if (record.disposition === 'deny' || record.log_type === 'summary') return 'warning';
  return record.disposition === 'unknown' ? 'notice' : 'info';
}
