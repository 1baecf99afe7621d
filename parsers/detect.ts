/** Formats that can be told by one line. */
export type DetectableFormat = 'syslog' | 'policy_action' | 'flow_log' | 'kmsg' | 'journal';

/**
 * Which format the line `bytes[start, end)` is in, by its form alone: undefined for JSON of no known kind.
 * Whatever has no mark of its own is a line of syslog.
 */
export function detectFormat(bytes: Buffer, start: number, end: number): DetectableFormat | undefined {
  let at = start;
  while (at < end && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
  if (bytes[at] === 0x7b && at < end) {
    const line = bytes.subarray(at, end);
    return JSON_MARKS.find(([, marks]) => marks.every((mark) => line.includes(mark)))?.[0];
  }
  // A syslog line may begin with a digit too, but then with a year and a dash.
  if (at >= end || bytes[at]! < 0x30 || bytes[at]! > 0x39 || bytes[at + 4] === 0x2d) return 'syslog';
  const head = bytes.toString('latin1', at, Math.min(end, at + HEAD_BYTES));
  if (/^\d{1,4},\d+,\d+,[^;]*;?/.test(head)) return 'kmsg';
  return FLOW_LOG.test(head) ? 'flow_log' : 'syslog';
}

const ENDPOINTS = ['wep', 'hep', 'ns', 'net'];
const FLOW_LOG = new RegExp(`^\\d+ \\d+ (${ENDPOINTS.join('|')}) `);

/** Keys that tell an object's kind, the commonest first. */
const JSON_MARKS = (
  [
    ['policy_action', ['"connection"']],
    ['journal', ['"__REALTIME_TIMESTAMP"']],
    ['flow_log', ['"start_time"', '"reporter"']],
  ] as const
).map(([format, keys]) => [format, keys.map((key) => Buffer.from(key))] as const);
/** Every line that is in another format than syslog or `/dev/kmsg` holds one of these. */
export const MARKS: readonly string[] = [
  ...JSON_MARKS.map(([, [mark]]) => mark!.toString()),
  ...ENDPOINTS.map((name) => ` ${name} `),
];
/** Enough for the numbers that begin a line of `/dev/kmsg` or of a flow log. */
const HEAD_BYTES = 96;
