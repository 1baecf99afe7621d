import type { Buffer } from 'node:buffer';
import { canonicalIp, canonicalIpBytes } from './ip.ts';
import { isAt, NUMBERED, PROTOCOLS, protocolAt, readDecimal, tokenEnd } from './netfilter-walk.ts';
import { unescapeControls } from './prefix.ts';
import type { Packet } from './record.ts';

/**
 * Where the kernel's `LOG` output goes in a record, key by key:
 *
 * | kernel | record | |
 * |---|---|---|
 * | PHYSIN PHYSOUT | packet.physin physout | bridge ports; `in` and `out` are read by the caller |
 * | MAC | packet.mac | as written: destination, source, type |
 * | MACSRC MACDST MACPROTO VPROTO VID | packet.mac_src mac_dest mac_protocol vlan_protocol vlan_id | with MACDECODE |
 * | TUNNEL=a->b | packet.tunnel_src tunnel_dest | |
 * | LEN (first) | packet.length | |
 * | TOS PREC TTL ID | packet.tos prec ttl id | IPv4 |
 * | TC HOPLIMIT FLOWLBL | packet.traffic_class hop_limit flow_label | IPv6 |
 * | CE DF MF | packet.ip_flags | list |
 * | FRAG:n | packet.fragment_offset | bytes, also in IPv4, where the kernel counts in eights |
 * | ID:hex | packet.fragment_id | IPv6 |
 * | INCOMPLETE after FRAG: | packet.more_fragments | IPv6 |
 * | OPT before PROTO | packet.ip_options | hex |
 * | SEQ ACK WINDOW RES URGP OPT | packet.seq ack window reserved urgent_pointer tcp_options | TCP |
 * | AE CWR ECE URG ACK PSH RST SYN FIN | packet.tcp_flags | list |
 * | LEN (second) | packet.udp_length | UDP, UDPLITE |
 * | TYPE CODE ID SEQ MTU | packet.icmp_type icmp_code icmp_id icmp_seq mtu | ICMP |
 * | PARAMETER GATEWAY POINTER | packet.parameter gateway pointer | ICMP |
 * | [SRC=… ] | packet.inner | the packet that an ICMP error is about: its connection and the same fields |
 * | SPI | packet.spi | ESP, AH |
 * | HTYPE PTYPE OPCODE MACSRC MACDST | packet.arp_hardware arp_protocol arp_opcode mac_src mac_dest | ARP |
 * | UID GID MARK | packet.uid gid mark | |
 * | INCOMPLETE [n bytes] | packet.incomplete_bytes | the header was not all there |
 * | TRUNCATED | packet.truncated | |
 * | anything else | packet.other | list, as written |
 * | (a line that ends too early) | packet.cut | what may be only a part of a value is left out |
 *
 * @param start behind the last interface name
 */
export function packetFields(bytes: Buffer, start: number, end: number, packet: Packet): void {
  readFields(bytes, start + 1, end, packet, false);
}

const EQUALS = 0x3d;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_PARENTHESIS = 0x28;
const CLOSING_PARENTHESIS = 0x29;

type Layer = 'ip' | 'tcp' | 'udp' | 'icmp' | 'arp' | 'other';
/** Which header the fields behind `PROTO=` belong to, by the protocol's index in `PROTOCOLS`. */
const LAYERS: readonly Layer[] = [
  'ip',
  'tcp',
  'udp',
  'udp',
  'icmp',
  'icmp',
  'other',
  'other',
  'arp',
  'other',
];

/** @returns behind the bracket that closes an inner packet, or `end` */
function readFields(bytes: Buffer, from: number, end: number, packet: Packet, inner: boolean): number {
  let layer: Layer = 'ip';
  // The last field that the kernel writes of the protocol is there; before, a value at the end may be cut.
  let whole = false;
  for (let at = from; at < end; at++) {
    const start = at;
    at = tokenEnd(bytes, at, end);
    if (at === start) continue;
    if (inner && bytes[at - 1] === CLOSING_BRACKET) {
      if (isAt(bytes, start, 'TRUNCATED') || isAt(bytes, start, '(TRUNCATED')) packet.truncated = true;
      return at;
    }
    if (at === end && !whole && mayBeCut(bytes, start, layer)) break;

    const value = valueStart(bytes, start, at);
    const n = value === 0 ? -1 : readDecimal(bytes, value, at);
    switch (bytes[start]) {
      case 0x4c: // L
        if (n < 0 || !isAt(bytes, start, 'LEN=')) break;
        if (layer === 'udp') {
          packet.udp_length = n;
          whole = true;
        } else {
          packet.length = n;
        }
        continue;
      case 0x54: // T
        if (n >= 0 && isAt(bytes, start, 'TTL=')) packet.ttl = n;
        else if (isAt(bytes, start, 'TOS=0x')) packet.tos = readHex(bytes, value + 2, at);
        else if (n >= 0 && isAt(bytes, start, 'TYPE=')) packet.icmp_type = n;
        else if (n >= 0 && isAt(bytes, start, 'TC=')) packet.traffic_class = n;
        else if (isAt(bytes, start, 'TUNNEL=')) readTunnel(bytes, value, at, packet);
        else if (isAt(bytes, start, 'TRUNCATED')) packet.truncated = true;
        else break;
        continue;
      case 0x50: // P
        if (isAt(bytes, start, 'PREC=0x')) {
          packet.prec = readHex(bytes, value + 2, at);
        } else if (isAt(bytes, start, 'PROTO=')) {
          const protocol = protocolAt(bytes, value, at);
          if (inner && protocol !== 0) packet.protocol = protocolName(bytes, protocol, value, at);
          layer = LAYERS[protocol]!;
          whole = layer === 'other' || (packet.fragment_offset as number) > 0;
        } else if (isAt(bytes, start, 'PHYSIN=')) {
          packet.physin = nameText(bytes, value, at);
        } else if (isAt(bytes, start, 'PHYSOUT=')) {
          packet.physout = nameText(bytes, value, at);
        } else if (isAt(bytes, start, 'PTYPE=0x')) {
          packet.arp_protocol = readHex(bytes, value + 2, at);
        } else if (n >= 0 && isAt(bytes, start, 'PARAMETER=')) {
          packet.parameter = n;
        } else if (isAt(bytes, start, 'POINTER=')) {
          packet.pointer = readHex(bytes, value, at);
        } else if (isAt(bytes, start, 'PSH') && at - start === 3) {
          flag(packet, 'tcp_flags', 'PSH');
        } else {
          break;
        }
        continue;
      case 0x49: // I
        if (n >= 0 && isAt(bytes, start, 'ID=')) {
          if (layer === 'icmp') packet.icmp_id = n;
          else packet.id = n;
        } else if (isAt(bytes, start, 'IPSRC=') || isAt(bytes, start, 'IPDST=')) {
          // The connection's addresses.
        } else if (isAt(bytes, start, 'INCOMPLETE [')) {
          const close = tokenEnd(bytes, start + 12, end);
          packet.incomplete_bytes = readDecimal(bytes, start + 12, close);
          at = Math.min(close + 7, end);
          whole = true;
          if (inner && bytes[at] === CLOSING_BRACKET) return at + 1;
        } else if (isAt(bytes, start, 'INCOMPLETE')) {
          packet.more_fragments = true;
        } else if (isAt(bytes, start, 'ID:')) {
          packet.fragment_id = bytes.toString('latin1', start + 3, at);
        } else {
          break;
        }
        continue;
      case 0x53: // S
        if (isAt(bytes, start, 'SRC=')) {
          if (inner) innerAddress(bytes, value, at, packet, 'src_ip');
        } else if (isAt(bytes, start, 'SPT=')) {
          if (inner && n >= 0) packet.src_port = n;
        } else if (n >= 0 && isAt(bytes, start, 'SEQ=')) {
          if (layer === 'icmp') packet.icmp_seq = n;
          else packet.seq = n;
        } else if (isAt(bytes, start, 'SPI=0x')) {
          packet.spi = readHex(bytes, value + 2, at);
        } else if (isAt(bytes, start, 'SYN') && at - start === 3) {
          flag(packet, 'tcp_flags', 'SYN');
        } else {
          break;
        }
        continue;
      case 0x44: // D
        if (isAt(bytes, start, 'DST=')) {
          if (inner) innerAddress(bytes, value, at, packet, 'dest_ip');
        } else if (isAt(bytes, start, 'DPT=')) {
          if (inner && n >= 0) packet.dest_port = n;
        } else if (isAt(bytes, start, 'DF') && at - start === 2) {
          flag(packet, 'ip_flags', 'DF');
        } else {
          break;
        }
        continue;
      case 0x41: // A
        if (n >= 0 && isAt(bytes, start, 'ACK=')) packet.ack = n;
        else if (isAt(bytes, start, 'ACK') && at - start === 3) flag(packet, 'tcp_flags', 'ACK');
        else if (isAt(bytes, start, 'AE') && at - start === 2) flag(packet, 'tcp_flags', 'AE');
        else if (isAt(bytes, start, 'ARP') && at - start === 3) layer = 'arp';
        else if (!isAt(bytes, start, 'AH') || at - start !== 2) break;
        continue;
      case 0x57: // W
        if (n < 0 || !isAt(bytes, start, 'WINDOW=')) break;
        packet.window = n;
        continue;
      case 0x52: // R
        if (isAt(bytes, start, 'RES=0x')) packet.reserved = readHex(bytes, value + 2, at);
        else if (isAt(bytes, start, 'RST') && at - start === 3) flag(packet, 'tcp_flags', 'RST');
        else break;
        continue;
      case 0x55: // U
        if (n >= 0 && isAt(bytes, start, 'URGP=')) {
          packet.urgent_pointer = n;
          whole = true;
        } else if (n >= 0 && isAt(bytes, start, 'UID=')) {
          packet.uid = n;
        } else if (isAt(bytes, start, 'URG') && at - start === 3) {
          flag(packet, 'tcp_flags', 'URG');
        } else {
          break;
        }
        continue;
      case 0x4d: // M
        if (isAt(bytes, start, 'MAC=')) {
          if (at > value) packet.mac = bytes.toString('latin1', value, at);
        } else if (isAt(bytes, start, 'MARK=0x')) {
          packet.mark = readHex(bytes, value + 2, at);
        } else if (isAt(bytes, start, 'MACSRC=')) {
          if (layer === 'arp') packet.arp_mac_src = bytes.toString('latin1', value, at);
          else packet.mac_src = bytes.toString('latin1', value, at);
        } else if (isAt(bytes, start, 'MACDST=')) {
          if (layer === 'arp') packet.arp_mac_dest = bytes.toString('latin1', value, at);
          else packet.mac_dest = bytes.toString('latin1', value, at);
        } else if (isAt(bytes, start, 'MACPROTO=')) {
          packet.mac_protocol = readHex(bytes, value, at);
        } else if (n >= 0 && isAt(bytes, start, 'MTU=')) {
          packet.mtu = n;
        } else if (isAt(bytes, start, 'MF') && at - start === 2) {
          flag(packet, 'ip_flags', 'MF');
        } else {
          break;
        }
        continue;
    }
    if (bytes[start] === OPENING_BRACKET && !inner) {
      const within: Packet = {};
      packet.inner = within;
      at = readFields(bytes, start + 1, end, within, true);
    } else if (isAt(bytes, start, 'CODE=') && n >= 0) {
      packet.icmp_code = n;
      whole = true;
    } else if (!readRare(bytes, start, at, n, packet, layer === 'ip')) {
      packet.other ??= [];
      (packet.other as string[]).push(bytes.toString('utf8', start, at));
    }
  }
  if (inner || (!whole && layer !== 'ip' && layer !== 'arp')) packet.cut = true;
  return end;
}

/** The fields that few packets have. @returns false for what is none of the kernel's */
function readRare(
  bytes: Buffer,
  start: number,
  end: number,
  n: number,
  packet: Packet,
  beforeProtocol: boolean,
): boolean {
  const value = valueStart(bytes, start, end);
  const size = end - start;
  if (value > 0) {
    if (n >= 0 && isAt(bytes, start, 'HOPLIMIT=')) packet.hop_limit = n;
    else if (n >= 0 && isAt(bytes, start, 'FLOWLBL=')) packet.flow_label = n;
    else if (n >= 0 && isAt(bytes, start, 'GID=')) packet.gid = n;
    else if (isAt(bytes, start, 'GATEWAY=')) packet.gateway = canonicalIpBytes(bytes, value, end);
    else if (isAt(bytes, start, 'VPROTO=')) packet.vlan_protocol = readHex(bytes, value, end);
    else if (n >= 0 && isAt(bytes, start, 'VID=')) packet.vlan_id = n;
    else if (n >= 0 && isAt(bytes, start, 'HTYPE=')) packet.arp_hardware = n;
    else if (n >= 0 && isAt(bytes, start, 'OPCODE=')) packet.arp_opcode = n;
    else return false;
    return true;
  }
  if (isAt(bytes, start, 'FRAG:')) {
    const offset = readDecimal(bytes, start + 5, end);
    if (offset < 0) return isAt(bytes, start, 'FRAG:TRUNCATED');
    packet.fragment_offset = packet.traffic_class === undefined ? offset * 8 : offset;
  } else if (size === 3 && isAt(bytes, start, 'FIN')) flag(packet, 'tcp_flags', 'FIN');
  else if (size === 3 && isAt(bytes, start, 'CWR')) flag(packet, 'tcp_flags', 'CWR');
  else if (size === 3 && isAt(bytes, start, 'ECE')) flag(packet, 'tcp_flags', 'ECE');
  else if (size === 2 && isAt(bytes, start, 'CE')) flag(packet, 'ip_flags', 'CE');
  else if (isAt(bytes, start, '(TRUNCATED)')) packet.truncated = true;
  else if (size > 2 && bytes[start] === OPENING_PARENTHESIS && bytes[end - 1] === CLOSING_PARENTHESIS) {
    const options = bytes.toString('latin1', start + 1, end - 1);
    if (beforeProtocol) packet.ip_options = options;
    else packet.tcp_options = options;
  } else {
    // `OPT (` and `)` around IPv6 extension headers, `ESP` in them, and control characters at the end.
    return OTHER_WORDS.has(bytes.toString('latin1', start, end));
  }
  return true;
}

const OTHER_WORDS = new Set(['OPT', '(', ')', 'ESP', '#012', '#015']);

function flag(packet: Packet, list: 'ip_flags' | 'tcp_flags', name: string): void {
  const flags = packet[list] as string[] | undefined;
  if (flags === undefined) packet[list] = [name];
  else flags.push(name);
}

function innerAddress(
  bytes: Buffer,
  start: number,
  end: number,
  packet: Packet,
  side: 'src_ip' | 'dest_ip',
): void {
  const address = canonicalIpBytes(bytes, start, end);
  if (address !== undefined) packet[side] = address;
}

/** `a->b` */
function readTunnel(bytes: Buffer, start: number, end: number, packet: Packet): void {
  const [src, dest] = bytes.toString('latin1', start, end).split('->');
  packet.tunnel_src = canonicalIp(src ?? '');
  packet.tunnel_dest = canonicalIp(dest ?? '');
}

/** The name of the protocol in `bytes[start, end)`, in the records' spelling. */
export function protocolName(bytes: Buffer, protocol: number, start: number, end: number): string {
  if (protocol !== NUMBERED) return PROTOCOLS[protocol]!;
  const number = bytes.toString('latin1', start, end);
  return number === '132' ? 'sctp' : number;
}

/** An interface's name; the kernel allows all but spaces, slashes and colons in it. */
export function nameText(bytes: Buffer, start: number, end: number): string {
  return unescapeControls(bytes.toString('utf8', start, end));
}

/** Whether a value that ends the line may go on beyond it: whether more had to follow. */
function mayBeCut(bytes: Buffer, start: number, layer: Layer): boolean {
  switch (layer) {
    case 'tcp':
      return !isAt(bytes, start, 'URGP=');
    case 'udp':
      return !isAt(bytes, start, 'LEN=');
    case 'icmp':
      return !isAt(bytes, start, 'CODE=');
    default:
      return false;
  }
}

/** Where the value of `KEY=value` begins; 0 where there is no `=`. */
function valueStart(bytes: Buffer, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    if (bytes[i] === EQUALS) return i + 1;
  }
  return 0;
}

/** A hexadecimal number; undefined where it is none. */
function readHex(bytes: Buffer, start: number, end: number): number | undefined {
  if (start >= end || end - start > 8) return undefined;
  let value = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    const digit = byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
    if (digit < 0 || digit > 15 || (byte > 0x39 && digit < 10)) return undefined;
    value = value * 16 + digit;
  }
  return value;
}
