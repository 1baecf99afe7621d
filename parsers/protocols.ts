/** Names of IP protocol numbers, as records have them. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  50: 'esp',
  51: 'ah',
  58: 'icmpv6',
  132: 'sctp',
  136: 'udplite',
};

/** A record's `connection.protocol`: the protocol's name, or its number as text. */
export function protocolName(number: number): string {
  return NAMES[number] ?? String(number);
}

/** The number of a record's `connection.protocol`; undefined for what is no protocol. */
export function protocolNumber(name: string): number | undefined {
  return NUMBERS.get(name) ?? (/^\d{1,3}$/.test(name) && Number(name) < 256 ? Number(name) : undefined);
}

const NUMBERS = new Map(Object.entries(NAMES).map(([number, name]) => [name, Number(number)]));
