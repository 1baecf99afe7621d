import { hash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Connection } from '../../parsers/record.ts';

/** Types of ICMP messages that answer each other. Messages of other types have no direction. */
const ICMP_ANSWERS: Readonly<Record<number, number>> = {
  ...{ 8: 0, 0: 8, 9: 10, 10: 9, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17 },
};
const ICMPV6_ANSWERS: Readonly<Record<number, number>> = {
  ...{ 128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135 },
  ...{ 139: 140, 140: 139, 144: 145, 145: 144 },
};
const PORTS_OF = new Set([6, 17, 132]);
const ICMP = 1;
const ICMPV6 = 58;

/**
 * The Community ID (version 1, seed 0), by which other tools know the same connection; undefined where an address, a
 * port or the ICMP type is not known.
 * @param number the protocol's number
 * @param icmp type and code
 */
export function communityId(
  connection: Connection,
  number: number,
  icmp: { readonly type: number; readonly code: number } | undefined,
): string | undefined {
  const src = connection.src_ip === undefined ? undefined : addressBytes(connection.src_ip);
  const dest = connection.dest_ip === undefined ? undefined : addressBytes(connection.dest_ip);
  if (src === undefined || dest === undefined) return undefined;
  let srcPort = connection.src_port;
  let destPort = connection.dest_port;
  let hasDirection = true;
  if (number === ICMP || number === ICMPV6) {
    if (icmp === undefined) return undefined;
    const answer = (number === ICMP ? ICMP_ANSWERS : ICMPV6_ANSWERS)[icmp.type];
    srcPort = icmp.type;
    destPort = answer ?? icmp.code;
    hasDirection = answer !== undefined;
  } else if (!PORTS_OF.has(number)) {
    return digest([src, dest].sort(Buffer.compare), number, []);
  }
  if (srcPort === undefined || destPort === undefined) return undefined;
  const order = src.compare(dest) || srcPort - destPort;
  return hasDirection && order > 0
    ? digest([dest, src], number, [destPort, srcPort])
    : digest([src, dest], number, [srcPort, destPort]);
}

function digest(addresses: readonly Buffer[], number: number, ports: readonly number[]): string {
  const portBytes = ports.flatMap((port) => [port >> 8, port & 0xff]);
  const bytes = Buffer.concat([
    Buffer.from([0, 0]),
    ...addresses,
    Buffer.from([number, 0]),
    Buffer.from(portBytes),
  ]);
  return `1:${hash('sha1', bytes, 'base64')}`;
}

function addressBytes(text: string): Buffer | undefined {
  const version = isIP(text);
  if (version === 0) return undefined;
  if (version === 4) return Buffer.from(text.split('.').map(Number));
  // A dotted quad at the end stands for the last two groups.
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...before, ...new Array(8 - before.length - after.length).fill('0'), ...after];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of groups.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
}
