import type { Buffer } from 'node:buffer';
import { sameText, viewOf } from './byte-view.ts';
import { isAt, readDecimal, tokenEnd } from './netfilter-walk.ts';
import {
  DAY_US,
  daysFromCivil,
  daysInMonth,
  type Instant,
  readFraction,
  readRfc3339,
  readTimeOfDay,
} from './time.ts';
import { LocalZone } from './zone.ts';

const SPACE = 0x20;
const BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** How far ahead of the reader's clock a timestamp without a year may be and still mean this year. */
const SKEW_US = DAY_US;
/** A 29th of February may lie this many years back. */
const YEARS_BACK_MAX = 8;
const HEAD_BYTES_MAX = 128;
/** Host, `kern.notice`, `kernel:`. */
const HEAD_TOKENS_MAX = 3;
/** `2026-11-21T10:59:46.`, and behind the microseconds zone and head. */
const TO_POINT_BYTES = 20;
const US_DIGITS = 6;
const FRACTION_END = TO_POINT_BYTES + US_DIGITS;

/**
 * What stands before the kernel's message: the time, the host, `kernel:`, the kernel's uptime stamp.
 *
 * Reads RFC 3164 (traditional) and RFC 3339 (file format) timestamps, RFC 5424, `/dev/kmsg` records and
 * dmesg's output, each with or without `<PRI>`, host, `kernel:` and stamp. One object is used for every line.
 * It remembers the bytes of the last line's traditional timestamp and of its host and tag, or all that stood before
 * the message with an RFC 3339 timestamp, so that lines which repeat them cost a comparison. A timestamp without a year is the last such day that is not more than
 * a day ahead of `nowUs`; one without a zone is in `zone`.
 */
export class Envelope implements Instant {
  /** NaN where the line has no wall-clock time. */
  timeUs = Number.NaN;
  digits = 0;
  finer = '';
  end = 0;
  /** The kernel's uptime stamp in µs, or -1. */
  stampUs = -1;
  /** Where the kernel's message begins and ends. */
  bodyStart = 0;
  bodyEnd = 0;
  /** Where it begins if what looked like the host name is part of it; else as `bodyStart`. */
  hostlessStart = 0;
  /** Empty where no host is named. */
  hostStart = 0;
  hostEnd = 0;
  /** N of `message repeated N times: [ … ]`, whose message this is; else 0. */
  repeat = 0;
  /** N of `last message repeated N times`, whose line has no message of its own; else 0. */
  repeatLast = 0;

  readonly #zone: LocalZone;
  #previousUs = Number.NEGATIVE_INFINITY;
  readonly #stamp = new Uint8Array(15);
  #stampTimeUs = Number.NaN;
  readonly #head = new Uint8Array(HEAD_BYTES_MAX);
  readonly #headView = new DataView(this.#head.buffer);
  #headLength = 0;
  #headHostLength = 0;
  /** The last line with microseconds, up to its message or uptime stamp; what its whole second and its host are. */
  readonly #opening = new Uint8Array(FRACTION_END + HEAD_BYTES_MAX);
  readonly #openingView = new DataView(this.#opening.buffer);
  #openingLength = 0;
  #openingUs = 0;
  #openingHostStart = 0;
  #openingHostEnd = 0;

  constructor(zone: string) {
    this.#zone = new LocalZone(zone);
  }

  /** Reads the line `bytes[start, end)` up to its message. */
  read(bytes: Buffer, start: number, end: number, nowUs: number): void {
    this.stampUs = -1;
    this.repeat = 0;
    this.repeatLast = 0;
    this.bodyEnd = end;
    if (this.#opensAsLast(bytes, start, end)) {
      this.#readStamp(bytes, end);
      this.#readRepeat(bytes);
      return;
    }
    this.timeUs = Number.NaN;
    this.digits = 0;
    this.finer = '';

    let at = start;
    let hasOpening = false;
    if (bytes[at] === 0x3c) at = afterPriority(bytes, at, end);
    const syslog5424 = bytes[at] === 0x31 && bytes[at + 1] === SPACE;
    if (syslog5424) at += 2;
    const first = bytes[at]!;
    if (first >= 0x30 && first <= 0x39) {
      if (readRfc3339(bytes, at, end, this)) {
        hasOpening = at === start && this.digits === US_DIGITS;
        at = this.end;
      } else if (this.#readKmsg(bytes, at, end)) return;
      else this.timeUs = Number.NaN;
    } else if (first === BRACKET) {
      if (this.#readDmesgTime(bytes, at, end, nowUs)) at = this.end;
    } else {
      at = this.#readTraditional(bytes, at, end, nowUs);
    }
    if (!Number.isNaN(this.timeUs)) this.#previousUs = this.timeUs;
    if (syslog5424) this.#readHead5424(bytes, at, end);
    else if (this.#readHead(bytes, at, end) && hasOpening) this.#rememberOpening(bytes, start);
    this.#readStamp(bytes, end);
    this.#readRepeat(bytes);
  }

  /** Whether the line begins as the last one with an RFC 3339 timestamp, but for the microseconds: then that is read. */
  #opensAsLast(bytes: Buffer, start: number, end: number): boolean {
    const length = this.#openingLength;
    if (length === 0 || length >= end - start || bytes[start + length] === SPACE) return false;
    const view = viewOf(bytes);
    if (!sameText(view, start, this.#openingView, 0, TO_POINT_BYTES)) return false;
    const rest = length - FRACTION_END;
    if (!sameText(view, start + FRACTION_END, this.#openingView, FRACTION_END, rest)) return false;
    const us = readDecimal(bytes, start + TO_POINT_BYTES, start + FRACTION_END);
    if (us < 0) return false;
    this.timeUs = this.#openingUs + us;
    this.#previousUs = this.timeUs;
    this.digits = US_DIGITS;
    this.finer = '';
    this.hostStart = start + this.#openingHostStart;
    this.hostEnd = start + this.#openingHostEnd;
    this.bodyStart = this.hostlessStart = start + length;
    return true;
  }

  /** At `start` stands an RFC 3339 timestamp with microseconds, and behind it the remembered head. */
  #rememberOpening(bytes: Buffer, start: number): void {
    const length = this.bodyStart - start;
    this.#openingLength = 0;
    if (length > this.#opening.length) return;
    this.#opening.set(bytes.subarray(start, this.bodyStart));
    this.#openingLength = length;
    this.#openingUs = this.timeUs - readDecimal(bytes, start + TO_POINT_BYTES, start + FRACTION_END);
    this.#openingHostStart = this.hostStart - start;
    this.#openingHostEnd = this.hostEnd - start;
  }

  /** Takes a message that came without any of this; `bytes[start, end)` is the message alone. */
  take(start: number, end: number, timeUs: number, stampUs: number): void {
    this.timeUs = timeUs;
    this.digits = 6;
    this.finer = '';
    this.stampUs = stampUs;
    this.repeat = this.repeatLast = 0;
    this.bodyStart = this.hostlessStart = start;
    this.hostStart = this.hostEnd = start;
    this.bodyEnd = end;
  }

  /** A traditional timestamp at `at`, if there is one. @returns where the rest begins */
  #readTraditional(bytes: Buffer, at: number, end: number, nowUs: number): number {
    const memo = this.#stamp;
    let same = 0;
    while (same < 15 && bytes[at + same] === memo[same]) same++;
    if (same < 15 && !this.#parseTraditional(bytes, at, end, nowUs)) return at;
    const after = readFraction(bytes, at + 15, end, this);
    this.timeUs += this.#stampTimeUs;
    return after < 0 ? at + 15 : after;
  }

  #parseTraditional(bytes: Buffer, at: number, end: number, nowUs: number): boolean {
    if (end - at < 15) return false;
    const month = MONTHS.findIndex((name) => isAt(bytes, at, name)) + 1;
    const tens = bytes[at + 4] === SPACE ? 0 : bytes[at + 4]! - 0x30;
    const day = tens * 10 + bytes[at + 5]! - 0x30;
    const timeOfDay = readTimeOfDay(bytes, at + 7);
    if (month === 0 || !(day >= 1 && day <= 31) || timeOfDay < 0) return false;
    if (bytes[at + 3] !== SPACE || bytes[at + 6] !== SPACE) return false;
    const timeUs = this.#yearless(month, day, timeOfDay, nowUs);
    if (timeUs === undefined) return false;
    this.#stamp.set(bytes.subarray(at, at + 15));
    this.#stampTimeUs = timeUs;
    return true;
  }

  #yearless(month: number, day: number, timeOfDay: number, nowUs: number): number | undefined {
    const nextYear = new Date(nowUs / 1000).getUTCFullYear() + 1;
    for (let year = nextYear; year >= nextYear - YEARS_BACK_MAX; year--) {
      if (day > daysInMonth(year, month)) continue;
      const local = daysFromCivil(year, month, day) * DAY_US + timeOfDay * 1e6;
      const timeUs = this.#zone.toUtc(local, this.#previousUs);
      if (timeUs <= nowUs + SKEW_US) return timeUs;
    }
    return undefined;
  }

  /** `[Sat Nov 21 10:59:46 2026]`, as `dmesg -T` has it. */
  #readDmesgTime(bytes: Buffer, at: number, end: number, nowUs: number): boolean {
    if (
      end - at < 26 ||
      bytes[at + 25] !== CLOSING_BRACKET ||
      !this.#parseTraditional(bytes, at + 5, end, nowUs)
    )
      return false;
    const year = readDecimal(bytes, at + 21, at + 25);
    if (year < 1970) return false;
    const month = MONTHS.findIndex((name) => isAt(bytes, at + 5, name)) + 1;
    const day = Number(bytes.toString('latin1', at + 9, at + 11));
    const local = daysFromCivil(year, month, day) * DAY_US + readTimeOfDay(bytes, at + 12) * 1e6;
    this.timeUs = this.#zone.toUtc(local, this.#previousUs);
    this.end = at + 26;
    return true;
  }

  /** `priority,sequence,µs,flags;message`, as `/dev/kmsg` has it. */
  #readKmsg(bytes: Buffer, at: number, end: number): boolean {
    const semicolon = bytes.subarray(at, Math.min(end, at + 80)).indexOf(0x3b);
    if (semicolon < 0) return false;
    const fields = bytes.toString('latin1', at, at + semicolon).split(',');
    if (fields.length < 4 || !fields.slice(0, 3).every((field) => /^\d{1,16}$/.test(field))) return false;
    this.timeUs = Number.NaN;
    this.stampUs = Number(fields[2]);
    this.hostStart = this.hostEnd = at;
    this.bodyStart = this.hostlessStart = at + semicolon + 1;
    return true;
  }

  /** Host and tag, from the end of the timestamp to the message or its uptime stamp. @returns whether it is remembered */
  #readHead(bytes: Buffer, from: number, end: number): boolean {
    const length = this.#headLength;
    const isLast =
      length > 0 &&
      length < end - from &&
      bytes[from + length] !== SPACE &&
      sameText(viewOf(bytes), from, this.#headView, 0, length);
    if (isLast) {
      this.bodyStart = this.hostlessStart = from + length;
      this.hostStart = from + 1;
      this.hostEnd = from + 1 + this.#headHostLength;
      return true;
    }
    return this.#parseHead(bytes, from, end);
  }

  #parseHead(bytes: Buffer, from: number, end: number): boolean {
    const first = afterSpaces(bytes, from, end);
    let at = first;
    this.hostStart = this.hostEnd = first;
    for (let tokens = 0; tokens < HEAD_TOKENS_MAX && at < end; tokens++) {
      if (isAt(bytes, at, 'kernel:')) {
        this.bodyStart = this.hostlessStart = afterSpaces(bytes, at + 7, end);
        if (tokens > 0) this.hostEnd = tokenEnd(bytes, first, end);
        return this.#rememberHead(bytes, from, first);
      }
      at = afterSpaces(bytes, tokenEnd(bytes, at, end), end);
    }
    // Without `kernel:` the first word may be the host or the beginning of the prefix.
    const wordEnd = tokenEnd(bytes, first, end);
    this.hostlessStart = this.bodyStart = first;
    if (bytes[first] === BRACKET || bytes[wordEnd - 1] === 0x3a || wordEnd === end) return false;
    for (let i = first; i < wordEnd; i++) if (isAt(bytes, i, 'IN=')) return false;
    this.bodyStart = afterSpaces(bytes, wordEnd, end);
    this.hostEnd = wordEnd;
    return false;
  }

  #rememberHead(bytes: Buffer, from: number, first: number): boolean {
    const length = this.bodyStart - from;
    this.#headLength = 0;
    if (length > HEAD_BYTES_MAX || first !== from + 1) return false;
    this.#head.set(bytes.subarray(from, this.bodyStart));
    this.#headLength = length;
    this.#headHostLength = this.hostEnd - first;
    return true;
  }

  /** `HOST APP PROCID MSGID STRUCTURED-DATA MESSAGE` of RFC 5424. */
  #readHead5424(bytes: Buffer, from: number, end: number): void {
    this.hostStart = afterSpaces(bytes, from, end);
    this.hostEnd = tokenEnd(bytes, this.hostStart, end);
    let at = this.hostEnd;
    for (let field = 0; field < 3; field++) at = tokenEnd(bytes, afterSpaces(bytes, at, end), end);
    at = afterSpaces(bytes, at, end);
    if (bytes[at] === BRACKET) {
      let quoted = false;
      for (; at < end; at++) {
        if (bytes[at] === 0x5c) at++;
        else if (bytes[at] === 0x22) quoted = !quoted;
        else if (bytes[at] === CLOSING_BRACKET && !quoted && bytes[at + 1] !== BRACKET) break;
      }
      at++;
    } else {
      at = tokenEnd(bytes, at, end);
    }
    at = Math.min(afterSpaces(bytes, at, end), end);
    if (isAt(bytes, at, '\xef\xbb\xbf')) at += 3;
    this.bodyStart = this.hostlessStart = at;
  }

  /** `[  123.456789] `, and the caller's id that some kernels put behind it. */
  #readStamp(bytes: Buffer, end: number): void {
    let at = this.bodyStart;
    if (bytes[at] !== BRACKET) return;
    at++;
    while (bytes[at] === SPACE) at++;
    let value = 0;
    let point = -1;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte >= 0x30 && byte <= 0x39) value = value * 10 + byte - 0x30;
      else if (byte === 0x2e && point < 0) point = at;
      else break;
    }
    if (bytes[at] !== CLOSING_BRACKET || at >= end || point < 0 || at - point !== 7 || value > 1e16) return;
    this.stampUs = value;
    at++;
    if (bytes[at] === BRACKET) {
      const close = tokenEnd(bytes, afterSpaces(bytes, at + 1, end), end);
      if (bytes[close - 1] === CLOSING_BRACKET) at = close;
    }
    if (bytes[at] === SPACE) at++;
    this.bodyStart = this.hostlessStart = at;
  }

  #readRepeat(bytes: Buffer): void {
    const first = bytes[this.bodyStart]!;
    if (first === 0x6d && isAt(bytes, this.bodyStart, 'message repeated ')) {
      const times = this.#readTimes(bytes, this.bodyStart + 17);
      if (times > 0 && isAt(bytes, this.end, ' times: [')) {
        this.repeat = times;
        this.bodyStart = this.hostlessStart = afterSpaces(bytes, this.end + 9, this.bodyEnd);
        if (bytes[this.bodyEnd - 1] === CLOSING_BRACKET) this.bodyEnd--;
        this.#readStamp(bytes, this.bodyEnd);
      }
    }
    if (first === 0x6c) this.#readRepeatLast(bytes, this.bodyStart);
    else if (bytes[this.hostlessStart] === 0x6c) this.#readRepeatLast(bytes, this.hostlessStart);
  }

  #readRepeatLast(bytes: Buffer, at: number): void {
    if (!isAt(bytes, at, 'last message repeated ')) return;
    const times = this.#readTimes(bytes, at + 22);
    if (times > 0 && isAt(bytes, this.end, ' time')) this.repeatLast = times;
  }

  #readTimes(bytes: Buffer, at: number): number {
    this.end = tokenEnd(bytes, at, this.bodyEnd);
    return Math.max(0, readDecimal(bytes, at, this.end));
  }
}

/** Where the line goes on after `<PRI>`. */
function afterPriority(bytes: Buffer, at: number, end: number): number {
  for (let i = at + 1; i < end && i < at + 6; i++) {
    if (bytes[i] === 0x3e) return i > at + 1 ? i + 1 : at;
    if (!(bytes[i]! >= 0x30 && bytes[i]! <= 0x39)) return at;
  }
  return at;
}

function afterSpaces(bytes: Buffer, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] === SPACE) i++;
  return i;
}
