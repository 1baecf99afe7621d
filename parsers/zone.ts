const HOUR_US = 3_600_000_000;
const MINUTE_US = 60_000_000;
/** Lines of a file are in order but for this. */
const DISORDER_US = MINUTE_US;

/** Those that need nothing of the platform, whose first answer about a zone costs 8 MB of memory. */
const UTC_NAMES = new Set(['UTC', 'Etc/UTC']);

/**
 * An IANA time zone, for timestamps that name none. Where the clock shows an hour twice, in autumn, the
 * earlier time is taken, unless the file had already gone beyond it; an hour that the clock leaves out, in
 * spring, is read as if it had not yet been put forward. Asks the platform once for each minute of log.
 */
export class LocalZone {
  readonly #format: Intl.DateTimeFormat | undefined;
  #minute = Number.NaN;
  #earlier = 0;
  #later = 0;

  /** @throws RangeError for a zone that the platform does not know */
  constructor(zone: string) {
    if (UTC_NAMES.has(zone)) return;
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
    this.#format = format.resolvedOptions().timeZone === 'UTC' ? undefined : format;
  }

  /**
   * @param localUs what the clock showed, as if it were UTC
   * @param previousUs the time of the line before, or -Infinity
   */
  toUtc(localUs: number, previousUs: number): number {
    if (this.#format === undefined) return localUs;
    const minute = Math.floor(localUs / MINUTE_US);
    if (minute !== this.#minute) {
      // The offsets before and after any change that may be near; equal on all but two days a year.
      const before = this.#offset(localUs - 14 * HOUR_US);
      const after = this.#offset(localUs + 14 * HOUR_US);
      const fitting = [before, after].filter((offset) => this.#offset(localUs - offset) === offset);
      this.#earlier = fitting.length > 0 ? Math.max(...fitting) : before;
      this.#later = fitting.length > 0 ? Math.min(...fitting) : before;
      this.#minute = minute;
    }
    const earlier = localUs - this.#earlier;
    return earlier < previousUs - DISORDER_US ? localUs - this.#later : earlier;
  }

  /** What the zone's clock is ahead of UTC at this time. */
  #offset(utcUs: number): number {
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format!.formatToParts(utcUs / 1000)) parts[type] = Number(value);
    const { year, month, day, hour, minute, second } = parts;
    const local = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) * 1000;
    return Math.round((local - utcUs) / 1e6) * 1e6;
  }
}
