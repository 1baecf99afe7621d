import type { Buffer } from 'node:buffer';
import { type ByteWriter, keyPiece, type Piece, pieceOf } from './byte-writer.ts';
import { canonicalIpBytes } from './ip.ts';
import { isAt, NUMBERED, PROTOCOLS, protocolAt, readDecimal, tokenEnd } from './netfilter-walk.ts';
import { unescapeControls } from './prefix.ts';

/**
 * Where the kernel's `LOG` output goes in a record, key by key:
 *
 * | kernel | record | |
 * |---|---|---|
 * | PHYSIN PHYSOUT | packet.physin physout | bridge ports; `in` and `out` are written by the caller |
 * | MAC | packet.mac | as written: destination, source, type |
 * | MACSRC MACDST MACPROTO VPROTO VID | packet.mac_src mac_dest mac_protocol vlan_protocol vlan_id | with MACDECODE; protocols as hex text |
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
 * | HTYPE PTYPE OPCODE MACSRC MACDST | packet.arp_hardware arp_protocol arp_opcode arp_mac_src arp_mac_dest | ARP |
 * | UID GID MARK | packet.uid gid mark | |
 * | INCOMPLETE [n bytes] | packet.incomplete_bytes | the header was not all there |
 * | TRUNCATED | packet.truncated | |
 * | anything else | packet.other | list, as written |
 * | (a line that ends too early) | packet.cut | what may be only a part of a value is left out |
 *
 * One object is used for every line. A field that is there twice, or whose value is none of its kind, is kept
 * under `other` as the kernel wrote it.
 */
export class NetfilterFields {
  readonly #json: ByteWriter;
  #bytes!: Buffer;
  /** Which keys were written, a bit for each. */
  readonly #seen = new Uint8Array(FIELD_COUNT);
  #ipFlags = 0;
  #tcpFlags = 0;
  #marks = 0;
  #layer: Layer = IP;
  /** The protocol's last field was there; before, a value at the end of the line may be cut. */
  #whole = false;
  #inFragment = false;
  /** Start and end of each token that is none of the kernel's fields. */
  #other: number[] = [];
  #inner: NetfilterFields | undefined;

  constructor(json: ByteWriter) {
    this.#json = json;
  }

  /** Writes the fields of `bytes[start, end)`, each with a comma before it. */
  write(bytes: Buffer, start: number, end: number): void {
    this.#read(bytes, start, end, false);
  }

  /** @returns behind the bracket that closes an inner packet, or `end` */
  #read(bytes: Buffer, from: number, end: number, inner: boolean): number {
    this.#bytes = bytes;
    this.#seen.fill(0);
    this.#ipFlags = this.#tcpFlags = this.#marks = 0;
    this.#layer = IP;
    this.#whole = this.#inFragment = false;
    if (this.#other.length > 0) this.#other = [];
    for (let at = from; at < end; at++) {
      const start = at;
      at = tokenEnd(bytes, at, end);
      if (at === start) continue;
      if (inner && bytes[at - 1] === CLOSING_BRACKET) {
        if (isAt(bytes, start, 'TRUNCATED') || isAt(bytes, start, '(TRUNCATED')) this.#marks |= TRUNCATED;
        this.#writeLists();
        return at;
      }
      if (at === end && !this.#whole && this.#mayBeCut(start)) break;
      if (bytes[start] === OPENING_BRACKET && !inner) at = this.#readInner(start + 1, end);
      else if (isAt(bytes, start, 'INCOMPLETE [')) at = this.#readIncomplete(start + 12, end);
      else if (!this.#field(start, at, inner)) this.#other.push(start, at);
    }
    if (inner || (!this.#whole && this.#layer !== IP && this.#layer !== ARP)) this.#marks |= CUT;
    this.#writeLists();
    return end;
  }

  /** @returns false for what is no field of the kernel's */
  #field(start: number, end: number, inner: boolean): boolean {
    const bytes = this.#bytes;
    const size = end - start;
    // The first three bytes tell all keys apart, or leave two.
    switch ((bytes[start]! << 16) | (bytes[start + 1]! << 8) | bytes[start + 2]!) {
      case MAC_:
        if (bytes[start + 3] === EQUALS) return end === start + 4 || this.#text(MAC, start + 4, end);
        return this.#decodedMac(start, end);
      case SRC_:
        return bytes[start + 3] === EQUALS && (!inner || this.#address(SRC_IP, start + 4, end));
      case DST_:
        return bytes[start + 3] === EQUALS && (!inner || this.#address(DEST_IP, start + 4, end));
      case LEN_:
        if (bytes[start + 3] !== EQUALS) return false;
        if (this.#layer !== UDP) return this.#decimal(LENGTH, start + 4, end);
        this.#whole = true;
        return this.#decimal(UDP_LENGTH, start + 4, end);
      case TOS_:
        return isAt(bytes, start + 3, '=0x') && this.#hex(TOS, start + 6, end);
      case PRE_:
        return isAt(bytes, start + 3, 'C=0x') && this.#hex(PREC, start + 7, end);
      case TTL_:
        return bytes[start + 3] === EQUALS && this.#decimal(TTL, start + 4, end);
      case ID_EQUALS:
        return this.#decimal(this.#layer === ICMP ? ICMP_ID : ID, start + 3, end);
      case PRO_:
        return isAt(bytes, start + 3, 'TO=') && this.#protocol(start + 6, end, inner);
      case SPT_:
        return bytes[start + 3] === EQUALS && (!inner || this.#decimal(SRC_PORT, start + 4, end));
      case DPT_:
        return bytes[start + 3] === EQUALS && (!inner || this.#decimal(DEST_PORT, start + 4, end));
      case WIN_:
        return isAt(bytes, start + 3, 'DOW=') && this.#decimal(WINDOW, start + 7, end);
      case RES_:
        return isAt(bytes, start + 3, '=0x') && this.#hex(RESERVED, start + 6, end);
      case URG_:
        if (size === 3) return this.#tcpFlag(1 << 3);
        if (!isAt(bytes, start + 3, 'P=')) return false;
        this.#whole = true;
        return this.#decimal(URGENT_POINTER, start + 5, end);
      case ACK_:
        if (size === 3) return this.#tcpFlag(1 << 4);
        return bytes[start + 3] === EQUALS && this.#decimal(ACK, start + 4, end);
      case SYN_:
        return size === 3 && this.#tcpFlag(1 << 7);
      case CWR_:
        return size === 3 && this.#tcpFlag(1 << 1);
      case ECE_:
        return size === 3 && this.#tcpFlag(1 << 2);
      case PSH_:
        return size === 3 && this.#tcpFlag(1 << 5);
      case RST_:
        return size === 3 && this.#tcpFlag(1 << 6);
      case FIN_:
        return size === 3 && this.#tcpFlag(1 << 8);
      case SEQ_:
        if (bytes[start + 3] !== EQUALS) return false;
        return this.#decimal(this.#layer === ICMP ? ICMP_SEQ : SEQ, start + 4, end);
      case TYP_:
        return isAt(bytes, start + 3, 'E=') && this.#decimal(ICMP_TYPE, start + 5, end);
      case COD_:
        if (!isAt(bytes, start + 3, 'E=')) return false;
        this.#whole = true;
        return this.#decimal(ICMP_CODE, start + 5, end);
      case TC_EQUALS:
        return this.#decimal(TRAFFIC_CLASS, start + 3, end);
      case HOP_:
        return isAt(bytes, start + 3, 'LIMIT=') && this.#decimal(HOP_LIMIT, start + 9, end);
      case FLO_:
        return isAt(bytes, start + 3, 'WLBL=') && this.#decimal(FLOW_LABEL, start + 8, end);
      case UID_:
        return bytes[start + 3] === EQUALS && this.#decimal(UID, start + 4, end);
      case GID_:
        return bytes[start + 3] === EQUALS && this.#decimal(GID, start + 4, end);
      case MAR_:
        return isAt(bytes, start + 3, 'K=0x') && this.#hex(MARK, start + 7, end);
    }
    if (size === 2) return this.#shortWord(start);
    return this.#rareField(start, end, size);
  }

  #shortWord(start: number): boolean {
    const bytes = this.#bytes;
    if (isAt(bytes, start, 'DF')) return this.#ipFlag(1 << 1);
    if (isAt(bytes, start, 'MF')) return this.#ipFlag(1 << 2);
    if (isAt(bytes, start, 'CE')) return this.#ipFlag(1 << 0);
    if (isAt(bytes, start, 'AE')) return this.#tcpFlag(1 << 0);
    return isAt(bytes, start, 'AH');
  }

  #decodedMac(start: number, end: number): boolean {
    const bytes = this.#bytes;
    const isArp = this.#layer === ARP;
    if (isAt(bytes, start, 'MACSRC=')) return this.#text(isArp ? ARP_MAC_SRC : MAC_SRC, start + 7, end);
    if (isAt(bytes, start, 'MACDST=')) return this.#text(isArp ? ARP_MAC_DEST : MAC_DEST, start + 7, end);
    return isAt(bytes, start, 'MACPROTO=') && this.#text(MAC_PROTOCOL, start + 9, end);
  }

  /** What few packets have. */
  #rareField(start: number, end: number, size: number): boolean {
    const bytes = this.#bytes;
    if (isAt(bytes, start, 'FRAG:')) return this.#fragment(start + 5, end);
    if (isAt(bytes, start, 'ID:')) return this.#text(FRAGMENT_ID, start + 3, end);
    if (isAt(bytes, start, 'SPI=0x')) return this.#hex(SPI, start + 6, end);
    if (isAt(bytes, start, 'PHYSIN=')) return this.#name(PHYSIN, start + 7, end);
    if (isAt(bytes, start, 'PHYSOUT=')) return this.#name(PHYSOUT, start + 8, end);
    if (isAt(bytes, start, 'MTU=')) return this.#decimal(MTU, start + 4, end);
    if (isAt(bytes, start, 'PARAMETER=')) return this.#decimal(PARAMETER, start + 10, end);
    if (isAt(bytes, start, 'POINTER=')) return this.#hex(POINTER, start + 8, end);
    if (isAt(bytes, start, 'GATEWAY=')) return this.#address(GATEWAY, start + 8, end);
    if (isAt(bytes, start, 'TUNNEL=')) return this.#tunnel(start + 7, end);
    if (isAt(bytes, start, 'VPROTO=')) return this.#text(VLAN_PROTOCOL, start + 7, end);
    if (isAt(bytes, start, 'VID=')) return this.#decimal(VLAN_ID, start + 4, end);
    if (isAt(bytes, start, 'HTYPE=')) return this.#decimal(ARP_HARDWARE, start + 6, end);
    if (isAt(bytes, start, 'PTYPE=')) return this.#text(ARP_PROTOCOL, start + 6, end);
    if (isAt(bytes, start, 'OPCODE=')) return this.#decimal(ARP_OPCODE, start + 7, end);
    if (isAt(bytes, start, 'IPSRC=') || isAt(bytes, start, 'IPDST=')) return true;
    if (size === 3 && isAt(bytes, start, 'ARP')) this.#layer = ARP;
    else if (size === 10 && isAt(bytes, start, 'INCOMPLETE')) this.#marks |= MORE_FRAGMENTS;
    else if (isAt(bytes, start, 'TRUNCATED') || isAt(bytes, start, '(TRUNCATED)')) this.#marks |= TRUNCATED;
    else if (size > 2 && bytes[start] === OPENING_PARENTHESIS) return this.#options(start + 1, end);
    else return IGNORED.has(bytes.toString('latin1', start, end));
    return true;
  }

  #key(field: Field): boolean {
    if (this.#seen[field.index] !== 0) return false;
    this.#seen[field.index] = 1;
    this.#json.piece(field.key);
    return true;
  }

  #decimal(field: Field, start: number, end: number): boolean {
    const bytes = this.#bytes;
    const value = readDecimal(bytes, start, end);
    if (value < 0 || !this.#key(field)) return false;
    const json = this.#json;
    const jsonStart = json.at;
    // The digits are JSON's as they stand.
    if (bytes[start] !== 0x30 || end - start === 1) json.range(bytes, start, end);
    else json.number(value);
    json.note(start, jsonStart);
    return true;
  }

  #hex(field: Field, start: number, end: number): boolean {
    const value = readHex(this.#bytes, start, end);
    if (value < 0 || !this.#key(field)) return false;
    this.#json.number(value);
    return true;
  }

  #text(field: Field, start: number, end: number): boolean {
    const bytes = this.#bytes;
    for (let i = start; i < end; i++) if (!isPlain(bytes[i]!)) return false;
    if (start === end || !this.#key(field)) return false;
    const json = this.#json;
    json.byte(QUOTE);
    json.range(bytes, start, end);
    json.byte(QUOTE);
    return true;
  }

  #name(field: Field, start: number, end: number): boolean {
    if (!this.#key(field)) return false;
    writeName(this.#json, this.#bytes, start, end);
    return true;
  }

  #address(field: Field, start: number, end: number): boolean {
    const address = canonicalIpBytes(this.#bytes, start, end);
    if (address === undefined || !this.#key(field)) return false;
    this.#json.string(address);
    return true;
  }

  #tcpFlag(bit: number): boolean {
    this.#tcpFlags |= bit;
    return true;
  }

  #ipFlag(bit: number): boolean {
    this.#ipFlags |= bit;
    return true;
  }

  #protocol(start: number, end: number, inner: boolean): boolean {
    const protocol = protocolAt(this.#bytes, start, end);
    if (protocol === 0) return false;
    if (inner) {
      if (!this.#key(PROTOCOL)) return false;
      this.#json.string(protocolName(this.#bytes, protocol, start, end));
    }
    this.#layer = LAYERS[protocol]!;
    this.#whole = this.#layer === OTHER || this.#inFragment;
    return true;
  }

  /** The kernel counts in eights in IPv4, whose lines have no traffic class. */
  #fragment(start: number, end: number): boolean {
    if (isAt(this.#bytes, start, 'TRUNCATED')) {
      this.#marks |= TRUNCATED;
      return true;
    }
    const offset = readDecimal(this.#bytes, start, end);
    if (offset < 0 || !this.#key(FRAGMENT_OFFSET)) return false;
    this.#inFragment = offset > 0;
    this.#json.number(this.#seen[TRAFFIC_CLASS.index] === 0 ? offset * 8 : offset);
    return true;
  }

  /** `0123AB)` */
  #options(start: number, end: number): boolean {
    if (this.#bytes[end - 1] !== CLOSING_PARENTHESIS) return false;
    return this.#text(this.#layer === IP ? IP_OPTIONS : TCP_OPTIONS, start, end - 1);
  }

  /** `a->b` */
  #tunnel(start: number, end: number): boolean {
    const arrow = this.#bytes.indexOf('->', start);
    if (arrow < 0 || arrow >= end) return false;
    return this.#address(TUNNEL_SRC, start, arrow) && this.#address(TUNNEL_DEST, arrow + 2, end);
  }

  #readIncomplete(start: number, end: number): number {
    const close = tokenEnd(this.#bytes, start, end);
    this.#whole = true;
    this.#decimal(INCOMPLETE_BYTES, start, close);
    return Math.min(close + ' bytes]'.length, end);
  }

  #readInner(start: number, end: number): number {
    this.#inner ??= new NetfilterFields(this.#json);
    if (!this.#key(INNER)) return end;
    const json = this.#json;
    const opened = json.at;
    const at = this.#inner.#read(this.#bytes, start, end, true);
    json.openAt(opened);
    json.byte(0x7d);
    return at;
  }

  /** What has its place behind the single fields. */
  #writeLists(): void {
    const json = this.#json;
    if (this.#ipFlags > 0) json.piece(IP_FLAGS[this.#ipFlags]!);
    if (this.#tcpFlags > 0) json.piece(TCP_FLAGS[this.#tcpFlags]!);
    if (this.#marks > 0) json.piece(MARKS[this.#marks]!);
    const other = this.#other;
    if (other.length === 0) return;
    json.piece(OTHER_KEY);
    for (let i = 0; i < other.length; i += 2) {
      json.byte(i === 0 ? OPENING_BRACKET : 0x2c);
      json.string(this.#bytes.toString('utf8', other[i], other[i + 1]));
    }
    json.byte(CLOSING_BRACKET);
  }

  /** Whether a value that ends the line may go on beyond it, as more had to follow. */
  #mayBeCut(start: number): boolean {
    const bytes = this.#bytes;
    if (this.#layer === TCP) return !isAt(bytes, start, 'URGP=');
    if (this.#layer === UDP) return !isAt(bytes, start, 'LEN=');
    return this.#layer === ICMP && !isAt(bytes, start, 'CODE=');
  }
}

/** The name of the protocol in `bytes[start, end)`, in the records' spelling. */
export function protocolName(bytes: Buffer, protocol: number, start: number, end: number): string {
  if (protocol !== NUMBERED) return PROTOCOLS[protocol]!;
  const number = String(readDecimal(bytes, start, end));
  return number === '132' ? 'sctp' : number;
}

/** An interface's name; the kernel allows all but spaces, slashes and colons in it. */
export function writeName(json: ByteWriter, bytes: Buffer, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    if (isPlain(bytes[i]!)) continue;
    json.string(unescapeControls(bytes.toString('utf8', start, end)));
    return;
  }
  json.byte(QUOTE);
  json.range(bytes, start, end);
  json.byte(QUOTE);
}

/** ASCII that JSON has no escape for, and no syslog daemon. */
function isPlain(byte: number): boolean {
  return byte > 0x23 && byte < 0x7f && byte !== 0x5c;
}

/** A hexadecimal number of at most eight digits; -1 where it is none. */
function readHex(bytes: Buffer, start: number, end: number): number {
  if (start >= end || end - start > 8) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    const digit = byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
    if (digit < 0 || digit > 15 || (byte > 0x39 && digit < 10)) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** The brackets around IPv6 extension headers, and control characters as syslog daemons write them. */
const IGNORED = new Set(['OPT', '(', ')', 'ESP', '#012', '#015']);
const EQUALS = 0x3d;
const OPENING_PARENTHESIS = 0x28;
const QUOTE = 0x22;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const CLOSING_PARENTHESIS = 0x29;

function beginning(key: string): number {
  return (key.charCodeAt(0) << 16) | (key.charCodeAt(1) << 8) | key.charCodeAt(2);
}
const MAC_ = beginning('MAC');
const SRC_ = beginning('SRC');
const DST_ = beginning('DST');
const LEN_ = beginning('LEN');
const TOS_ = beginning('TOS');
const PRE_ = beginning('PRE');
const TTL_ = beginning('TTL');
const PRO_ = beginning('PRO');
const SPT_ = beginning('SPT');
const DPT_ = beginning('DPT');
const WIN_ = beginning('WIN');
const RES_ = beginning('RES');
const URG_ = beginning('URG');
const ACK_ = beginning('ACK');
const SYN_ = beginning('SYN');
const CWR_ = beginning('CWR');
const ECE_ = beginning('ECE');
const PSH_ = beginning('PSH');
const RST_ = beginning('RST');
const FIN_ = beginning('FIN');
const SEQ_ = beginning('SEQ');
const TYP_ = beginning('TYP');
const COD_ = beginning('COD');
const HOP_ = beginning('HOP');
const FLO_ = beginning('FLO');
const UID_ = beginning('UID');
const GID_ = beginning('GID');
const MAR_ = beginning('MAR');
const ID_EQUALS = beginning('ID=');
const TC_EQUALS = beginning('TC=');

/** Which header the fields belong to. */
const IP = 0;
const TCP = 1;
const UDP = 2;
const ICMP = 3;
const ARP = 4;
const OTHER = 5;
type Layer = typeof IP | typeof TCP | typeof UDP | typeof ICMP | typeof ARP | typeof OTHER;
/** By the protocol's index in `PROTOCOLS`. */
const LAYERS: readonly Layer[] = [IP, TCP, UDP, UDP, ICMP, ICMP, OTHER, OTHER, ARP, OTHER];

const TRUNCATED = 1;
const MORE_FRAGMENTS = 2;
const CUT = 4;

interface Field {
  readonly index: number;
  readonly key: Piece;
}
let fieldCount = 0;
function field(name: string): Field {
  return { index: fieldCount++, key: keyPiece(name) };
}
const PHYSIN = field('physin');
const PHYSOUT = field('physout');
const MAC = field('mac');
const MAC_SRC = field('mac_src');
const MAC_DEST = field('mac_dest');
const MAC_PROTOCOL = field('mac_protocol');
const VLAN_PROTOCOL = field('vlan_protocol');
const VLAN_ID = field('vlan_id');
const TUNNEL_SRC = field('tunnel_src');
const TUNNEL_DEST = field('tunnel_dest');
const LENGTH = field('length');
const TOS = field('tos');
const PREC = field('prec');
const TTL = field('ttl');
const ID = field('id');
const TRAFFIC_CLASS = field('traffic_class');
const HOP_LIMIT = field('hop_limit');
const FLOW_LABEL = field('flow_label');
const FRAGMENT_OFFSET = field('fragment_offset');
const FRAGMENT_ID = field('fragment_id');
const IP_OPTIONS = field('ip_options');
const SEQ = field('seq');
const ACK = field('ack');
const WINDOW = field('window');
const RESERVED = field('reserved');
const URGENT_POINTER = field('urgent_pointer');
const TCP_OPTIONS = field('tcp_options');
const UDP_LENGTH = field('udp_length');
const ICMP_TYPE = field('icmp_type');
const ICMP_CODE = field('icmp_code');
const ICMP_ID = field('icmp_id');
const ICMP_SEQ = field('icmp_seq');
const MTU = field('mtu');
const PARAMETER = field('parameter');
const GATEWAY = field('gateway');
const POINTER = field('pointer');
const INNER = field('inner');
const SPI = field('spi');
const ARP_HARDWARE = field('arp_hardware');
const ARP_PROTOCOL = field('arp_protocol');
const ARP_OPCODE = field('arp_opcode');
const ARP_MAC_SRC = field('arp_mac_src');
const ARP_MAC_DEST = field('arp_mac_dest');
const UID = field('uid');
const GID = field('gid');
const MARK = field('mark');
const INCOMPLETE_BYTES = field('incomplete_bytes');
const SRC_IP = field('src_ip');
const DEST_IP = field('dest_ip');
const PROTOCOL = field('protocol');
const SRC_PORT = field('src_port');
const DEST_PORT = field('dest_port');
const FIELD_COUNT = fieldCount;
const OTHER_KEY = keyPiece('other');

/** Every set of flags, written out: the set is the index. */
const IP_FLAGS = sets(['CE', 'DF', 'MF']).map((flags) => listPiece('ip_flags', flags));
const TCP_FLAGS = sets(['AE', 'CWR', 'ECE', 'URG', 'ACK', 'PSH', 'RST', 'SYN', 'FIN']).map((flags) =>
  listPiece('tcp_flags', flags),
);
const MARKS = sets(['truncated', 'more_fragments', 'cut']).map((marks) =>
  pieceOf(marks.map((mark) => `,"${mark}":true`).join('')),
);

function sets(names: readonly string[]): string[][] {
  return Array.from({ length: 1 << names.length }, (_, set) => names.filter((__, bit) => (set >> bit) & 1));
}

function listPiece(key: string, flags: readonly string[]): Piece {
  return pieceOf(`,"${key}":${JSON.stringify(flags)}`);
}
