import type { OutgoingRecord } from '../../sinks/sink.ts';

/** A sink's `only`, as the configuration gives it. */
export interface Only {
  readonly disposition?: readonly string[] | undefined;
  readonly log_type?: readonly string[] | undefined;
}

/** The test for `only`; undefined where it lets everything pass. A record without `log_type` is a flow. */
export function passOnly(only: Only | undefined): ((record: OutgoingRecord) => boolean) | undefined {
  const { disposition, log_type: logType } = only ?? {};
  if (!disposition && !logType) return undefined;
  return (record) => {
    const value = record.value();
    if (disposition && !disposition.includes(value.disposition as string)) return false;
    return !logType || logType.includes((value.log_type as string | undefined) ?? 'flow');
  };
}
