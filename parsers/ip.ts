import { Buffer } from 'node:buffer';

const TEXT_BYTES_MAX = 45;
const scratch = Buffer.alloc(TEXT_BYTES_MAX);
const groups = new Uint16Array(8);

/**
 * The canonical text of the address in `bytes[start, end)`: dotted quad without leading zeros, or RFC 5952.
 * Undefined for anything else: a zone, a prefix length, a leading zero in IPv4, a byte too many.
 */
export function canonicalIpBytes(bytes: Buffer, start: number, end: number): string | undefined {
  if (end - start > TEXT_BYTES_MAX) return undefined;
  if (isIpv4(bytes, start, end)) return bytes.toString('latin1', start, end);
  return readIpv6(bytes, start, end) ? writeIpv6() : undefined;
}

/** `canonicalIpBytes` of a string. */
export function canonicalIp(text: string): string | undefined {
  if (text.length > TEXT_BYTES_MAX) return undefined;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return undefined;
    scratch[i] = code;
  }
  return canonicalIpBytes(scratch, 0, text.length);
}

/** 4 or 6 for the address in `bytes[start, end)`, 0 for anything that `canonicalIpBytes` does not take. */
export function ipVersion(bytes: Uint8Array, start: number, end: number): 0 | 4 | 6 {
  if (end - start > TEXT_BYTES_MAX) return 0;
  if (isIpv4(bytes, start, end)) return 4;
  return readIpv6(bytes, start, end) ? 6 : 0;
}

/** The address in `bytes[start, end)`, for which `isIpv4` holds, as a number below 2³². */
export function ipv4Number(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  let part = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0x2e) {
      number = (number << 8) | part;
      part = 0;
    } else part = part * 10 + byte - 0x30;
  }
  return ((number << 8) | part) >>> 0;
}

/** Whether `bytes[start, end)` is a dotted quad: four decimal numbers up to 255 without leading zeros. */
export function isIpv4(bytes: Uint8Array, start: number, end: number): boolean {
  let dots = 0;
  let value = -1;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit >= 0 && digit <= 9) {
      if (value === 0) return false;
      value = value < 0 ? digit : value * 10 + digit;
      if (value > 255) return false;
    } else {
      if (digit !== -2 || value < 0) return false;
      dots++;
      value = -1;
    }
  }
  return dots === 3 && value >= 0;
}

/** Reads `bytes[start, end)` into `groups`. */
function readIpv6(bytes: Uint8Array, start: number, end: number): boolean {
  let count = 0;
  let gap = -1;
  let at = start;
  if (bytes[at] === 0x3a) {
    if (bytes[at + 1] !== 0x3a || at + 1 >= end) return false;
    gap = 0;
    at += 2;
  }
  while (at < end) {
    if (count === 8) return false;
    let value = 0;
    let next = at;
    while (next < end) {
      const digit = hexDigit(bytes[next]!);
      if (digit < 0) break;
      value = value * 16 + digit;
      next++;
    }
    if (bytes[next] === 0x2e && next < end) {
      if (count > 6 || !isIpv4(bytes, at, end)) return false;
      readIpv4Groups(bytes, at, end, count);
      count += 2;
      break;
    }
    if (next === at || next - at > 4) return false;
    groups[count++] = value;
    if (next === end) break;
    if (bytes[next] !== 0x3a) return false;
    at = next + 1;
    if (at === end) return false;
    if (bytes[at] === 0x3a) {
      if (gap >= 0) return false;
      gap = count;
      at++;
    }
  }
  if (gap < 0) return count === 8;
  if (count === 8) return false;
  groups.copyWithin(8 - (count - gap), gap, count);
  groups.fill(0, gap, 8 - (count - gap));
  return true;
}

function readIpv4Groups(bytes: Uint8Array, start: number, end: number, count: number): void {
  let value = 0;
  let all = 0;
  for (let i = start; i <= end; i++) {
    if (i < end && bytes[i] !== 0x2e) {
      value = value * 10 + bytes[i]! - 0x30;
    } else {
      all = all * 256 + value;
      value = 0;
    }
  }
  groups[count] = all >>> 16;
  groups[count + 1] = all & 0xffff;
}

/** `groups` as RFC 5952 writes them; IPv4-mapped addresses with a dotted quad, as its section 5 has it. */
function writeIpv6(): string {
  let runAt = -1;
  let runLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > runLength) {
      runAt = i;
      runLength = length;
    }
    i += length;
  }
  if (runAt === 0 && runLength === 5 && groups[5] === 0xffff) {
    return `::ffff:${groups[6]! >>> 8}.${groups[6]! & 255}.${groups[7]! >>> 8}.${groups[7]! & 255}`;
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === runAt) {
      text += '::';
      i += runLength - 1;
    } else {
      if (i > 0 && i !== runAt + runLength) text += ':';
      text += groups[i]!.toString(16);
    }
  }
  return text;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
