import { sameText, viewOf } from './byte-view.ts';

/** A point in time as a source wrote it. Reused: a reader fills it in. */
export interface Instant {
  /** Whole microseconds since the epoch. */
  timeUs: number;
  /** Digits after the point that were written. */
  digits: number;
  /** The digits after the sixth, as written; `''` for none. */
  finer: string;
  /** Where the timestamp ends in the bytes that it was read from. */
  end: number;
}

export const DAY_US = 86_400_000_000;
const MINUTE_US = 60_000_000;

/** Years that the agent takes for real: beyond, microseconds are no longer whole numbers in a double. */
const YEAR_MIN = 1970;
const YEAR_MAX = 2199;
const FRACTION_DIGITS_MAX = 18;

const US_DIGITS = 6;
const THREE_DIGITS = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'));
const SCALE = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1] as const;

/** Days from 1970-01-01 to the given day of the Gregorian calendar; `month` is 1 to 12. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Reads the RFC 3339 timestamp at the beginning of `bytes[start, end)` into `into`. Beyond the RFC it takes a
 * space for `T`, a comma for the point and an offset without colon, as ISO 8601 and journalctl have them.
 * @returns false where there is none, or none of these centuries
 */
export function readRfc3339(bytes: Uint8Array, start: number, end: number, into: Instant): boolean {
  if (end - start < 20) return false;
  const isLast = sameText(viewOf(bytes), start, lastSecondView, 0, SECOND_BYTES);
  if (!isLast && !readSecond(bytes, start)) return false;
  let at = readFraction(bytes, start + 19, end, into);
  if (at < 0 || at >= end) return false;
  const zone = bytes[at]!;
  let offsetMinutes = 0;
  if (zone === 0x5a || zone === 0x7a) {
    at++;
  } else if (zone === 0x2b || zone === 0x2d) {
    const colon = bytes[at + 3] === 0x3a ? 1 : 0;
    const hours = twoDigits(bytes, at + 1);
    const minutes = twoDigits(bytes, at + 3 + colon);
    at += 5 + colon;
    if (at > end || !(hours >= 0 && hours <= 23) || !(minutes >= 0 && minutes <= 59)) return false;
    offsetMinutes = (zone === 0x2d ? -1 : 1) * (hours * 60 + minutes);
  } else {
    return false;
  }
  into.timeUs += lastSecondUs - offsetMinutes * MINUTE_US;
  into.end = at;
  return into.timeUs >= 0;
}

const SECOND_BYTES = 19;
/** The last `YYYY-MM-DDTHH:MM:SS` that was read, and what it says: lines of a log share it with the line before. */
const lastSecond = new TextEncoder().encode('1970-01-01T00:00:00');
const lastSecondView = new DataView(lastSecond.buffer);
let lastSecondUs = 0;

function readSecond(bytes: Uint8Array, start: number): boolean {
  const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2);
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  const timeOfDay = readTimeOfDay(bytes, start + 11);
  const separator = bytes[start + 10]!;
  if (bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d) return false;
  if (separator !== 0x54 && separator !== 0x74 && separator !== 0x20) return false;
  if (!(year >= YEAR_MIN && year <= YEAR_MAX) || !(month >= 1 && month <= 12)) return false;
  if (!(day >= 1 && day <= daysInMonth(year, month)) || timeOfDay < 0) return false;
  lastSecond.set(bytes.subarray(start, start + SECOND_BYTES));
  lastSecondUs = daysFromCivil(year, month, day) * DAY_US + timeOfDay * 1e6;
  return true;
}

/** Seconds of the day of the `HH:MM:SS` at `at`, a leap second included; -1 where there is none. */
export function readTimeOfDay(bytes: Uint8Array, at: number): number {
  const hours = twoDigits(bytes, at);
  const minutes = twoDigits(bytes, at + 3);
  const seconds = twoDigits(bytes, at + 6);
  if (bytes[at + 2] !== 0x3a || bytes[at + 5] !== 0x3a) return -1;
  if (!(hours >= 0 && hours <= 23) || !(minutes >= 0 && minutes <= 59)) return -1;
  if (!(seconds >= 0 && seconds <= 60)) return -1;
  return hours * 3600 + minutes * 60 + seconds;
}

/**
 * Reads the optional fraction at `at` into `into`, whose `timeUs` is then below one second.
 * @returns where it ends, or -1 for a point without digits or with too many of them
 */
export function readFraction(bytes: Uint8Array, at: number, end: number, into: Instant): number {
  into.timeUs = 0;
  into.digits = 0;
  into.finer = '';
  if (at >= end || (bytes[at] !== 0x2e && bytes[at] !== 0x2c)) return at;
  let i = at + 1;
  let us = 0;
  let finer = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (!(digit >= 0 && digit <= 9)) break;
    if (i - at <= US_DIGITS) us = us * 10 + digit;
    else finer = finer * 10 + digit;
  }
  const digits = i - at - 1;
  if (digits === 0 || digits > FRACTION_DIGITS_MAX) return -1;
  into.digits = digits;
  into.timeUs = us * SCALE[Math.min(digits, US_DIGITS)]!;
  if (digits === US_DIGITS + 3) into.finer = THREE_DIGITS[finer]!;
  else if (digits > US_DIGITS) into.finer = String(finer).padStart(digits - US_DIGITS, '0');
  return i;
}

/** The seconds that were written last, and their texts: those of windows that close are a few seconds apart. */
const SECONDS = 8;
const seconds = new Array<number>(SECONDS).fill(Number.NaN);
const secondTexts = new Array<string>(SECONDS).fill('');

/**
 * RFC 3339 in UTC with `digits` digits after the point.
 * @param timeUs whole microseconds since the epoch
 * @param finer digits after the sixth, where `digits` is more than 6
 */
export function formatRfc3339(timeUs: number, digits: number, finer = ''): string {
  const second = Math.floor(timeUs / 1e6);
  const place = second & (SECONDS - 1);
  if (second !== seconds[place]) {
    secondTexts[place] = new Date(second * 1000).toISOString().slice(0, 19);
    seconds[place] = second;
  }
  const text = secondTexts[place]!;
  if (digits === 0) return `${text}Z`;
  const us = timeUs - second * 1e6;
  const ms = Math.floor(us / 1000);
  const fraction = THREE_DIGITS[ms]! + THREE_DIGITS[us - ms * 1000]!;
  return digits < 6 ? `${text}.${fraction.slice(0, digits)}Z` : `${text}.${fraction}${finer}Z`;
}

/** The number that the two digits at `at` make; NaN or out of every range where they are none. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30;
  const ones = bytes[at + 1]! - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}
