import type { Buffer } from 'node:buffer';
import { ipVersion, isIpv4 } from './ip.ts';
import type { UnparsableReason } from './line.ts';

export const PROTOCOLS = ['', 'tcp', 'udp', 'udplite', 'icmp', 'icmpv6', 'esp', 'ah', 'arp'] as const;
const NONE = 0;
const TCP = 1;
const UDP = 2;
const UDPLITE = 3;
const ICMP = 4;
const ICMPV6 = 5;
const ESP = 6;
const AH = 7;
const ARP = 8;
/** A protocol that the kernel gives by number; its text stands at `protoStart`. */
export const NUMBERED = 9;

const SPACE = 0x20;
const EQUALS = 0x3d;

/**
 * Where the values that make a connection stand in one netfilter LOG line: found by one walk over its bytes
 * that ends at the destination port, without decoding. Everything else is read by `packetFields`, and only
 * for lines that become records.
 *
 * The grammar is the kernel's (net/netfilter/nf_log_syslog.c). A line has the form
 * `<prefix>IN=<name> OUT=<name> <key=value or flag> …`; the packet is the last `IN=… OUT=…` pair, for the
 * prefix may be glued to it or hold such text itself, and interface names may hold `=`, `[`, `@` and `.`.
 */
export class NetfilterWalk {
  bytes!: Buffer;
  prefixStart = 0;
  /** Where the prefix ends and `IN=` begins. */
  packetStart = 0;
  end = 0;

  inEnd = 0;
  outStart = 0;
  outEnd = 0;
  physinStart = 0;
  physinEnd = 0;
  physoutStart = 0;
  physoutEnd = 0;
  /** The end of the last interface name: all that decides the direction stands before it. */
  interfacesEnd = 0;
  srcStart = 0;
  srcEnd = 0;
  destStart = 0;
  destEnd = 0;
  /** An index into `PROTOCOLS`, or `NUMBERED`. */
  protocol: number = NONE;
  /** The protocol's number, where it is `NUMBERED`; else 0. */
  protocolNumber = 0;
  protoStart = 0;
  protoEnd = 0;
  /** Of IP: 4 or 6; 0 before the addresses were seen. */
  version = 0;
  srcPort = -1;
  destPort = -1;
  /** The ports' text. */
  srcPortStart = 0;
  srcPortEnd = 0;
  destPortStart = 0;
  destPortEnd = 0;
  /** The IP packet's length; 0 where the line has none. */
  length = 0;
  lengthStart = 0;
  lengthEnd = 0;
  idStart = 0;
  /** How far the walk went. */
  walked = 0;

  get inStart(): number {
    return this.packetStart + 3;
  }

  /**
   * Finds the packet in `bytes[start, end)`, which begins with the log prefix.
   * @returns false where there is none
   */
  find(bytes: Buffer, start: number, end: number): boolean {
    this.bytes = bytes;
    this.prefixStart = start;
    this.end = end;
    for (let out = end - 5; out >= start + 3; out--) {
      if (bytes[out] !== SPACE || !isAt(bytes, out, ' OUT=')) continue;
      for (let i = out - 3; i >= start && bytes[i + 2] !== SPACE; i--) {
        if (bytes[i + 2] === EQUALS && isAt(bytes, i, 'IN=')) {
          this.packetStart = i;
          return true;
        }
      }
    }
    return false;
  }

  /**
   * The same by the first pair instead of the last: quicker, and the same in all lines but those whose prefix
   * holds a pair. The guess holds if `isOnlyPacket` says so after the walk; otherwise `find` decides.
   */
  guess(bytes: Buffer, start: number, end: number): boolean {
    this.bytes = bytes;
    this.prefixStart = start;
    this.end = end;
    for (let i = start + 2; i < end; i++) {
      if (bytes[i] !== EQUALS || bytes[i - 1] !== 0x4e || bytes[i - 2] !== 0x49) continue;
      this.packetStart = i - 2;
      let at = i + 1;
      while (at < end && bytes[at] !== SPACE && bytes[at] !== EQUALS) at++;
      return isAt(bytes, at, ' OUT=');
    }
    return false;
  }

  /** Notes where the values stand. Call after `find` or `guess`. */
  walk(): UnparsableReason | undefined {
    const { bytes, end } = this;
    this.srcStart = this.srcEnd = this.destStart = this.destEnd = this.protoStart = this.protoEnd = 0;
    this.physinStart = this.physinEnd = this.physoutStart = this.physoutEnd = 0;
    this.srcPortStart = this.srcPortEnd = this.destPortStart = this.destPortEnd = 0;
    this.length = this.lengthStart = this.lengthEnd = this.idStart = this.version = 0;
    this.protocol = NONE;
    this.protocolNumber = 0;
    this.srcPort = this.destPort = -1;

    let at = tokenEnd(bytes, this.packetStart + 3, end);
    this.inEnd = at;
    this.outStart = at + 5;
    if (this.outStart > end) return this.stop(end, 'truncated');
    at = tokenEnd(bytes, this.outStart, end);
    if (at === end) return this.stop(end, 'truncated');
    this.outEnd = this.interfacesEnd = at;
    let incomplete = false;
    let fragment = false;
    let version = 0;

    while (++at < end) {
      const start = at;
      const first = bytes[at]!;
      at = first === 0x4d ? macEnd(bytes, at, end) : tokenEnd(bytes, at, end);
      switch (first) {
        case 0x53: // SRC=, SPT=
          if (bytes[start + 3] !== EQUALS) break;
          if (bytes[start + 1] === 0x52 && bytes[start + 2] === 0x43) {
            if (this.srcStart !== 0) return this.stop(at, 'bad_field');
            this.srcStart = start + 4;
            this.srcEnd = at;
          } else if (bytes[start + 1] === 0x50 && bytes[start + 2] === 0x54) {
            if (this.srcPort >= 0) return this.stop(at, 'bad_field');
            this.srcPortStart = start + 4;
            this.srcPortEnd = at;
            this.srcPort = readPort(bytes, start + 4, at);
            if (this.srcPort < 0) return this.stop(at, at === end ? 'truncated' : 'bad_field');
          }
          break;
        case 0x44: // DST=, DPT=
          if (bytes[start + 3] !== EQUALS) break;
          if (bytes[start + 1] === 0x53 && bytes[start + 2] === 0x54) {
            if (this.destStart !== 0 || this.srcStart === 0) return this.stop(at, 'bad_field');
            // More always follows an address or a port: a line that ends in one was cut, perhaps inside it.
            if (at === end) return this.stop(at, 'truncated');
            this.destStart = start + 4;
            this.destEnd = at;
            version = this.version = ipVersion(bytes, this.destStart, at);
            if (version === 0 || ipVersion(bytes, this.srcStart, this.srcEnd) !== version) {
              return this.stop(at, 'bad_address');
            }
          } else if (bytes[start + 1] === 0x50 && bytes[start + 2] === 0x54) {
            if (at === end) return this.stop(at, 'truncated');
            this.destPortStart = start + 4;
            this.destPortEnd = at;
            this.destPort = readPort(bytes, start + 4, at);
            const whole = this.destPort >= 0 && this.srcPort >= 0 && this.protocol !== NONE;
            return this.stop(at, whole ? undefined : 'bad_field');
          }
          break;
        case 0x50: // PROTO=, PREC=, PHYSIN=, PHYSOUT=
          if (bytes[start + 1] === 0x52 && bytes[start + 2] === 0x4f) {
            if (!isAt(bytes, start, 'PROTO=') || version === 0) return this.stop(at, 'bad_field');
            this.protoStart = start + 6;
            this.protoEnd = at;
            this.protocol = protocolAt(bytes, start + 6, at);
            if (this.protocol === NONE) return this.stop(at, at === end ? 'truncated' : 'bad_field');
            if (this.protocol === NUMBERED) this.protocolNumber = readDecimal(bytes, start + 6, at);
            if (this.protocol > UDPLITE || fragment) return this.stop(at, undefined);
          } else if (bytes[start + 1] === 0x48 && this.srcStart === 0) {
            if (isAt(bytes, start, 'PHYSIN=')) {
              this.physinStart = start + 7;
              this.physinEnd = this.interfacesEnd = at;
            } else if (isAt(bytes, start, 'PHYSOUT=')) {
              this.physoutStart = start + 8;
              this.physoutEnd = this.interfacesEnd = at;
            }
          }
          break;
        case 0x4c: // LEN=
          if (this.length === 0 && isAt(bytes, start, 'LEN=')) {
            this.lengthStart = start + 4;
            this.lengthEnd = at;
            this.length = readDecimal(bytes, start + 4, at);
            if (this.length < 0) return this.stop(at, 'bad_field');
          }
          break;
        case 0x49: // ID=, INCOMPLETE [n bytes]
          if (bytes[start + 1] === 0x44 && bytes[start + 2] === EQUALS) this.idStart = start + 3;
          else if (isAt(bytes, start, 'INCOMPLETE [')) incomplete = true;
          break;
        case 0x46: // FRAG:
          if (isAt(bytes, start, 'FRAG:')) fragment = bytes[start + 5] !== 0x30;
          break;
        case 0x41: // ARP
          if (this.srcStart === 0 && at - start === 3 && isAt(bytes, start, 'ARP')) return this.walkArp(at);
          break;
        case 0x54: // TRUNCATED: the kernel could not see the rest of the packet
          if (isAt(bytes, start, 'TRUNCATED')) return this.stop(at, 'truncated');
          break;
        case 0x5b: // [: an inner packet, or how much of this one was there; nothing of the connection follows
          return this.stop(at, this.portless(version, incomplete, fragment));
        case 0x4f: // OUT=
          if (isAt(bytes, start, 'OUT=')) return this.stop(start - 1, 'bad_field');
          break;
      }
    }
    return this.stop(end, this.portless(version, incomplete, fragment));
  }

  /** Whether no further `IN=… OUT=…` pair stands after what was walked. */
  isOnlyPacket(): boolean {
    const { bytes, end } = this;
    for (let i = this.walked; i < end; i++) {
      if (bytes[i] === 0x4f && isAt(bytes, i - 1, ' OUT=')) return false;
    }
    return true;
  }

  private stop(at: number, reason: UnparsableReason | undefined): UnparsableReason | undefined {
    this.walked = at;
    return reason;
  }

  /** A line that ended before a destination port: what its protocol is, and whether it may end so. */
  private portless(version: number, incomplete: boolean, fragment: boolean): UnparsableReason | undefined {
    if (this.srcStart === 0) return 'not_a_packet';
    if (version === 0) return 'truncated';
    if (this.protocol !== NONE) return incomplete && this.srcPort < 0 ? undefined : 'truncated';
    // The kernel names every protocol but two: AH of a later fragment in IPv4, and ESP in IPv6.
    const last = this.bytes[this.end - 1];
    if (last !== SPACE && last !== 0x29) return 'truncated';
    if (version === 4 && !fragment) return 'truncated';
    if (version === 6 && (fragment || incomplete)) return 'truncated';
    this.protocol = version === 4 ? AH : ESP;
    return undefined;
  }

  private walkArp(from: number): UnparsableReason | undefined {
    const { bytes, end } = this;
    for (let at = from + 1; at < end; at++) {
      const start = at;
      at = tokenEnd(bytes, at, end);
      if (isAt(bytes, start, 'IPSRC=')) {
        this.srcStart = start + 6;
        this.srcEnd = at;
      } else if (isAt(bytes, start, 'IPDST=')) {
        this.destStart = start + 6;
        this.destEnd = at;
      }
    }
    this.walked = end;
    if (this.srcStart === 0 || this.destStart === 0) return 'not_a_packet';
    const whole = isIpv4(bytes, this.srcStart, this.srcEnd) && isIpv4(bytes, this.destStart, this.destEnd);
    if (!whole) return 'bad_address';
    this.version = 4;
    this.protocol = ARP;
    return undefined;
  }
}

/** Whether `text` (ASCII) stands at `at`. */
export function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** The end of the token that begins at `at`: the next space, or `end`. */
export function tokenEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== SPACE) i++;
  return i;
}

/** The same for a token that may be an Ethernet header: `MAC=` and 14 bytes in hexadecimal, with colons. */
function macEnd(bytes: Uint8Array, at: number, end: number): number {
  const expected = at + 45;
  const fits =
    expected < end &&
    bytes[at + 6] === 0x3a &&
    bytes[at + 18] === 0x3a &&
    bytes[at + 30] === 0x3a &&
    bytes[at + 42] === 0x3a &&
    bytes[expected] === SPACE;
  return fits ? expected : tokenEnd(bytes, at, end);
}

/** The decimal number in `bytes[start, end)`, of at most ten digits; -1 where it is none. */
export function readDecimal(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || end - start > 10) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function readPort(bytes: Uint8Array, start: number, end: number): number {
  const port = readDecimal(bytes, start, end);
  return port <= 0xffff ? port : -1;
}

/** The index in `PROTOCOLS` of what the kernel wrote in `bytes[start, end)`, `NUMBERED`, or 0. */
export function protocolAt(bytes: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case 0:
      return NONE;
    case 2:
      if (isAt(bytes, start, 'AH')) return AH;
      break;
    case 3:
      if (isAt(bytes, start, 'TCP')) return TCP;
      if (isAt(bytes, start, 'UDP')) return UDP;
      if (isAt(bytes, start, 'ESP')) return ESP;
      break;
    case 4:
      if (isAt(bytes, start, 'ICMP')) return ICMP;
      break;
    case 6:
      if (isAt(bytes, start, 'ICMPv6')) return ICMPV6;
      break;
    case 7:
      if (isAt(bytes, start, 'UDPLITE')) return UDPLITE;
      break;
  }
  const number = readDecimal(bytes, start, end);
  return number >= 0 && number <= 255 ? NUMBERED : NONE;
}
