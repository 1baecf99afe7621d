/** An address as four 32-bit words; IPv4 as IPv6 writes it, `::ffff:a.b.c.d`. */
export type AddressWords = readonly [number, number, number, number];

/** A network: the addresses whose first `bits` bits are those of `words`. */
export interface Network {
  readonly words: AddressWords;
  readonly bits: number;
}

const MAPPED = 0xffff;

/** The address in a text, or undefined where it is none. A mapped IPv4 address is that IPv4 address. */
export function readAddress(text: string): AddressWords | undefined {
  if (!text.includes(':')) {
    const word = readIpv4(text);
    return word === undefined ? undefined : [0, 0, MAPPED, word];
  }
  return readIpv6(text);
}

/** The network in a text as `10.0.0.0/8` or `2001:db8::/32`; an address alone is a network of one. */
export function readNetwork(text: string): Network | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const words = readAddress(address);
  if (words === undefined || rest.length > 0) return undefined;
  const isIpv4 = !address.includes(':');
  const most = isIpv4 ? 32 : 128;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const bits = length === undefined ? most : Number(length);
  return bits > most ? undefined : { words, bits: isIpv4 ? bits + 96 : bits };
}

export function containsAddress({ words, bits }: Network, address: AddressWords): boolean {
  for (let index = 0, left = bits; left > 0; index += 1, left -= 32) {
    const differs = (words[index]! ^ address[index]!) >>> 0;
    if (left >= 32 ? differs !== 0 : differs >>> (32 - left) !== 0) return false;
  }
  return true;
}

function readIpv4(text: string): number | undefined {
  let word = 0;
  let octet = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit >= 0 && digit <= 9) {
      // No leading zeros.
      if (octet === 0) return undefined;
      octet = octet < 0 ? digit : 10 * octet + digit;
      if (octet > 255) return undefined;
    } else {
      if (digit !== -2 || octet < 0) return undefined;
      word = (word << 8) | octet;
      octet = -1;
      dots++;
    }
  }
  return dots === 3 && octet >= 0 ? ((word << 8) | octet) >>> 0 : undefined;
}

function readIpv6(text: string): AddressWords | undefined {
  const [front = '', back, ...rest] = text.split('::');
  if (rest.length > 0) return undefined;
  const before = readGroups(front, back === undefined);
  const after = back === undefined ? [] : readGroups(back, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (back === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...new Array<number>(missing).fill(0), ...after];
  const word = (at: number) => ((groups[at]! << 16) | groups[at + 1]!) >>> 0;
  return [word(0), word(2), word(4), word(6)];
}

/** Groups between colons; the last may be an IPv4 address, which fills two. */
function readGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (isEnd && index === parts.length - 1 && part.includes('.')) {
      const word = readIpv4(part);
      if (word === undefined) return undefined;
      groups.push(word >>> 16, word & 0xffff);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}
