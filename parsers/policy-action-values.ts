/** What a line's values may be, beyond their types. */

export const PORT_MAX = 65_535;
/** More connections than any window holds. */
export const COUNT_MAX = 4_294_967_295;

const UPPER_T = 0x54;
const UPPER_Z = 0x5a;
const COMMA = 0x2c;
const SIX = 0x36;

/** Whether the RFC 3339 timestamp `bytes[start, end)` is written as records have it; a leap second is not. */
export function isPlainTime(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    bytes[start + 10] === UPPER_T &&
    bytes[start + 17] !== SIX &&
    bytes[start + 19] !== COMMA &&
    bytes[end - 1] === UPPER_Z
  );
}
