import { decodeJsonLine } from './json-decode.ts';
import type { Format, LineParser, LogLine, ParsedLine } from './line.ts';
import { logTime } from './log-time.ts';
import { FOREIGN, REFUSED } from './parsed.ts';
import type { LogRecord } from './record.ts';
import { formatRfc3339 } from './time.ts';

export interface RawLogOptions {
  /** The input's name, for `source.input`. */
  input: string;
  /** Given as `node_name`; may be empty. */
  node: string;
  /** What the log is (`audit`, `dns`, …). */
  logType: string;
  format: 'json' | 'text';
}

/**
 * Logs that are shipped as they are: a JSON object becomes the record's `body`, a line of text its `message`.
 * A record's `timestamp` is the object's own, if a well-known member has one; text has none.
 */
export function rawLogFormat(options: RawLogOptions): Format {
  return {
    name: options.format,
    needles: [],
    open: () => new RawLogParser(options),
    save: () => null,
    restore: () => {},
  };
}

class RawLogParser implements LineParser {
  readonly #options: RawLogOptions;

  constructor(options: RawLogOptions) {
    this.#options = options;
  }

  parse(bytes: Buffer, start: number, end: number, nowUs: number): ParsedLine {
    if (start === end) return FOREIGN;
    const { format } = this.#options;
    if (format === 'text') return this.#line(nowUs, { message: bytes.toString('utf8', start, end) });
    const decoded = decodeJsonLine(bytes, start, end);
    if ('reason' in decoded) return REFUSED[decoded.reason];
    const body = decoded.value;
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return REFUSED.not_a_record;
    const time = logTime(body as Record<string, unknown>);
    if (time === undefined) return this.#line(nowUs, { body });
    const timestamp = formatRfc3339(time.timeUs, time.digits, time.finer);
    return this.#line(time.timeUs, { timestamp, body });
  }

  passedOver(): void {}

  save(): null {
    return null;
  }

  #line(timeUs: number, { timestamp, ...content }: Partial<LogRecord>): LogLine {
    const { input, node, logType, format } = this.#options;
    return {
      kind: 'log',
      timeUs,
      toRecord: (id) => ({
        id,
        log_type: logType,
        ...(timestamp === undefined ? undefined : { timestamp }),
        ...(node === '' ? undefined : { node_name: node }),
        ...content,
        source: { input, format },
      }),
    };
  }
}
