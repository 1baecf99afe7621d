/** How the syslog daemon stamps a line: rsyslog's default of today, or the format of RFC 3164. */
export type Envelope = 'rfc3339' | 'traditional';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const THREE_DIGITS = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));

/** The digits after the point of a time in microseconds, six of them. */
export function microseconds(timeUs: number): string {
  const us = timeUs % 1_000_000;
  return THREE_DIGITS[Math.floor(us / 1000)]! + THREE_DIGITS[us % 1000]!;
}

/** Writes times in UTC; formats each second only once, for lines come by the thousand in a second. */
export class Stamps {
  #second = -1;
  #iso = '';
  #traditional = '';

  /** `2026-09-05T14:34:40`, without the digits after the point and without a zone. */
  seconds(timeUs: number): string {
    this.#format(Math.floor(timeUs / 1_000_000));
    return this.#iso;
  }

  /** The stamp at the beginning of a syslog line. */
  stamp(envelope: Envelope, timeUs: number): string {
    this.#format(Math.floor(timeUs / 1_000_000));
    return envelope === 'traditional' ? this.#traditional : `${this.#iso}.${microseconds(timeUs)}+00:00`;
  }

  #format(second: number): void {
    if (second === this.#second) return;
    this.#second = second;
    const date = new Date(second * 1000);
    this.#iso = date.toISOString().slice(0, 19);
    const day = String(date.getUTCDate()).padStart(2);
    this.#traditional = `${MONTHS[date.getUTCMonth()]} ${day} ${this.#iso.slice(11)}`;
  }
}
