import { Buffer } from 'node:buffer';
import { ByteWriter, type Copy, keyPiece, type Piece, pieceOf } from './byte-writer.ts';
import { DIRECTIONS, packetDirection, UNKNOWN } from './direction.ts';
import { canonicalIpBytes } from './ip.ts';
import { ID, KNOWN_JSON_BYTES, KnownPacket, SIDES, TIME } from './known-packet.ts';
import type { Enricher, FlowLine, Kin } from './line.ts';
import { NetfilterFields, protocolName, writeName } from './netfilter-fields.ts';
import { NetfilterWalk } from './netfilter-walk.ts';
import { NetworkPieces, NO_NETWORK } from './network-pieces.ts';
import type { PacketMemory } from './packet-memory.ts';
import type { Prefix } from './prefix.ts';
import type { Disposition, FlowRecord, MergeFields } from './record.ts';
import { formatRfc3339 } from './time.ts';

/** What the records of one input have in common. */
export interface FlowContext {
  readonly input: string;
  readonly format: string;
  readonly node: string;
  readonly workloadInterfaces: readonly string[];
}

/** Behind the variable bytes of a key: protocol, its number, whether there is a port, and the port. */
const KEY_TAIL_BYTES = 5;
/** Of a TCP packet these are its flags, of an ICMP message its sequence number. */
const TAIL_BYTES = 16;
const HASH_SEED = 0x811c9dc5 | 0;

/**
 * A connection in a netfilter line: a view over the line's bytes, which one walk has found. One object is used
 * for every line of a file. The key is the prefix, the interfaces, the addresses, the protocol and the
 * destination port, hashed and compared where they stand.
 */
export class NetfilterFlow implements FlowLine {
  readonly kind = 'flow';
  readonly walk = new NetfilterWalk();
  timeUs = 0;
  timeDigits = 0;
  timeFiner = '';
  count = 1;
  prefix!: Prefix;
  readonly #workloadInterfaces: readonly Uint8Array[];
  /** From the node's name to the beginning of the timestamp. */
  readonly #nodeName: Piece;
  /** What ends every record. */
  readonly #source: Piece;
  readonly #networks = new NetworkPieces();
  readonly #memory: PacketMemory;
  readonly #known: KnownPacket;
  /** Whether the line is the known one but for its numbers. */
  #isKnown = false;
  #packetHash = 0;
  #hash = 0;
  // What the record under way has from elsewhere.
  #id: Buffer = NO_ID;
  #idView: DataView = new DataView(NO_ID.buffer, NO_ID.byteOffset, 0);
  /** Where, in the JSON that was written last, the time stands. */
  #timeStart = 0;
  #timeEnd = 0;
  readonly #sides = { src: '', dest: '', srcNetwork: NO_NETWORK, destNetwork: NO_NETWORK };

  /** @param memory may be shared by all flows of the same context */
  constructor({ input, format, node, workloadInterfaces }: FlowContext, memory: PacketMemory) {
    this.#memory = memory;
    this.#known = new KnownPacket(memory.slab);
    this.#workloadInterfaces = workloadInterfaces.map((beginning) => Buffer.from(beginning));
    const nodeName = node === '' ? '' : `,"node_name":${JSON.stringify(node)}`;
    this.#nodeName = pieceOf(`${nodeName},"timestamp":"`);
    this.#source = pieceOf(`},"source":${JSON.stringify({ input, format })}}`);
  }

  get disposition(): Disposition {
    return this.prefix.disposition;
  }

  get packets(): number {
    return this.count;
  }

  get bytes(): number {
    return this.walk.length * this.count;
  }

  get srcPort(): number {
    return this.walk.srcPort;
  }

  /**
   * Reads the message `bytes[start, end)` if it repeats one that was taken before. Otherwise the caller finds packet
   * and prefix, and calls `take`.
   */
  recognize(bytes: Buffer, start: number, end: number): boolean {
    const known = this.#known;
    this.#isKnown = this.#memory.find(known, bytes, start, end);
    if (!this.#isKnown) return false;
    known.place(this.walk, bytes, start, end);
    this.prefix = known.prefix;
    this.#packetHash = known.packetHash;
    this.#hash = known.keyHash;
    return true;
  }

  /** Call when the walk stands on a line that is ours and whole. @param again whether it may be repeated as it stands */
  take(again: boolean): void {
    this.hash();
    if (!again) return;
    this.#isKnown = this.#memory.add(this.#known, this.walk, this.prefix, this.#packetHash, this.#hash);
  }

  /** Hashes the key; call when the walk stands on a new line. */
  hash(): void {
    const { walk } = this;
    const { bytes } = walk;
    let hash = hashBytes(HASH_SEED, bytes, walk.packetStart, walk.interfacesEnd);
    hash = hashBytes(hash, bytes, walk.srcStart, walk.destEnd);
    hash = mix(hash, (walk.protocol << 24) ^ (walk.protocolNumber << 16) ^ walk.destPort);
    this.#packetHash = hash;
    this.#hash = hashBytes(hash, bytes, walk.prefixStart, walk.packetStart);
  }

  keyHash(): number {
    return this.#hash;
  }

  /** Hash of what both lines of one packet share: all that identifies it but the prefix. */
  packetHash(): number {
    const { walk } = this;
    const { bytes } = walk;
    let hash = mix(this.#packetHash, (walk.srcPort << 16) ^ walk.length);
    if (walk.idStart > 0) {
      hash = mix(
        hash,
        bytes[walk.idStart]! | (bytes[walk.idStart + 1]! << 8) | (bytes[walk.idStart + 2]! << 16),
      );
      hash = mix(hash, bytes[walk.idStart + 3]! | (bytes[walk.idStart + 4]! << 8));
    }
    return hash;
  }

  /** Hash of all that identifies the message: the packet, the prefix, and the line's last bytes. */
  messageHash(): number {
    const { bytes, end } = this.walk;
    const hash = mix(this.packetHash(), this.#hash);
    return hashBytes(hash, bytes, Math.max(this.walk.destEnd, end - TAIL_BYTES), end);
  }

  get kin(): Kin | undefined {
    return this.#isKnown ? this.#known : undefined;
  }

  keyEquals(key: Uint8Array): boolean {
    const { walk } = this;
    const { bytes } = walk;
    const first = walk.interfacesEnd - walk.prefixStart;
    const second = walk.destEnd - walk.srcStart;
    if (key.length !== first + second + KEY_TAIL_BYTES) return false;
    for (let i = 0, at = walk.prefixStart; i < first; i++, at++) if (key[i] !== bytes[at]) return false;
    for (let i = 0, at = walk.srcStart; i < second; i++, at++) if (key[first + i] !== bytes[at]) return false;
    const tail = first + second;
    return (
      key[tail] === walk.protocol &&
      key[tail + 1] === walk.protocolNumber &&
      key[tail + 2] === (walk.destPort < 0 ? 0 : 1) &&
      key[tail + 3] === ((walk.destPort >> 8) & 0xff) &&
      key[tail + 4] === (walk.destPort & 0xff)
    );
  }

  copyKey(): Uint8Array {
    const { walk } = this;
    const first = walk.interfacesEnd - walk.prefixStart;
    const second = walk.destEnd - walk.srcStart;
    const key = new Uint8Array(first + second + KEY_TAIL_BYTES);
    walk.bytes.copy(key, 0, walk.prefixStart, walk.interfacesEnd);
    walk.bytes.copy(key, first, walk.srcStart, walk.destEnd);
    const { protocol, protocolNumber, destPort } = walk;
    key.set([protocol, protocolNumber, destPort < 0 ? 0 : 1, destPort >> 8, destPort], first + second);
    return key;
  }

  timestamp(): string {
    return formatRfc3339(this.timeUs, this.timeDigits, this.timeFiner);
  }

  /** What `writeJson` writes, read back: one place says what a record is. */
  toRecord(id: string): FlowRecord {
    const end = this.#writeScratch();
    const record = JSON.parse(scratch.toString('utf8', 0, end)) as FlowRecord;
    record.id = id;
    return record;
  }

  /** Writes all, and closes the gaps where the counts stood. */
  writeOpening(id: Buffer, out: Buffer, at: number, enricher: Enricher): number {
    const end = this.writeJson(id, out, at, enricher);
    if (end < 0) return end;
    const countEnd = this.#timeStart - this.#nodeName.length;
    const countAt = countEnd - COUNT.length - String(this.count).length;
    // Behind the timestamp's closing quote.
    const packetsAt = this.#timeEnd + 1;
    const bytesAt = numberEnd(out, this.#timeEnd + PACKETS.length);
    const packetsEnd = this.walk.length > 0 ? numberEnd(out, bytesAt + BYTES.length) : bytesAt;
    json.at = countAt;
    json.words(json.view, countEnd, packetsAt);
    json.words(json.view, packetsEnd, end - 1);
    return json.at;
  }

  mergeFields(): MergeFields {
    const { walk, prefix } = this;
    const { bytes, srcPort, destPort } = walk;
    const direction = DIRECTIONS[this.#direction()];
    const connection = {
      src_ip: canonicalIpBytes(bytes, walk.srcStart, walk.srcEnd)!,
      dest_ip: canonicalIpBytes(bytes, walk.destStart, walk.destEnd)!,
      ...(destPort < 0 ? {} : { src_port: srcPort, dest_port: destPort }),
      protocol: protocolName(bytes, walk.protocol, walk.protoStart, walk.protoEnd),
      ...(direction === undefined ? {} : { direction }),
    };
    return { connection, disposition: prefix.disposition, prefix: prefix.text };
  }

  /** Writes the record's JSON to the beginning of `scratch`, and says where it ends. */
  #writeScratch(): number {
    for (;;) {
      const end = this.writeJson(NO_ID, scratch, 0);
      if (end >= 0) return end;
      scratch = Buffer.allocUnsafe(2 * scratch.length);
    }
  }

  writeJson(id: Buffer, out: Buffer, at: number, enricher?: Enricher): number {
    const known = this.#isKnown && this.count === 1 ? this.#known : undefined;
    this.#useId(id);
    if (known !== undefined && enricher !== undefined && known.hasJson(enricher)) {
      const names = enricher.sideOf === undefined ? 0 : this.#findSides(enricher);
      if (out.length - at < KNOWN_JSON_BYTES + id.length + names) return -1;
      json.open(out, at);
      known.writeJson(json, this.walk.bytes, this);
      return json.at;
    }
    if (out.length - at < id.length + this.#findSides(enricher) + this.#bytesMost()) return -1;
    json.open(out, at);
    if (known === undefined || enricher === undefined || !known.wantsJson(enricher)) {
      this.#write(false);
    } else {
      const copies: Copy[] = [];
      json.copies = copies;
      this.#write(enricher.sideOf !== undefined);
      json.copies = undefined;
      known.keepJson(out, at, json.at, copies, enricher);
    }
    return json.at;
  }

  /** What the line's record takes at most, but for id and sides' names. */
  #bytesMost(): number {
    const { walk, prefix } = this;
    const named =
      this.#nodeName.length + this.#source.length + prefix.verdictJson.length + prefix.textJson.length;
    return named + VARIABLE_BYTES + (walk.end - walk.packetStart) * BYTES_PER_LINE_BYTE;
  }

  /** Most ids stand in the same memory. */
  #useId(id: Buffer): void {
    if (id === this.#id) return;
    this.#id = id;
    this.#idView = new DataView(id.buffer, id.byteOffset, id.length);
  }

  /** For `KnownPacket`. */
  writeId(): void {
    json.copy(this.#idView, 0, this.#id.length);
  }

  /** The same: who the sides are, which depends on the time and on what the enricher has heard. */
  writeSides(): void {
    const { walk } = this;
    const { src, dest, srcNetwork, destNetwork } = this.#sides;
    if (src === '') {
      json.piece(SRC_INSTANCE);
      this.#writeAddress(walk.srcStart, walk.srcEnd);
      json.piece(srcNetwork);
      json.byte(BRACE_CLOSE);
    } else json.text(`,"src":${src}`);
    if (dest === '') {
      json.piece(DEST_INSTANCE);
      this.#writeAddress(walk.destStart, walk.destEnd);
      json.piece(destNetwork);
      json.byte(BRACE_CLOSE);
    } else json.text(`,"dest":${dest}`);
  }

  /** @param notesSides whether they are to be written anew for each line like this one */
  #write(notesSides: boolean): void {
    const { walk, prefix, count } = this;
    json.piece(HEAD);
    const idAt = json.at;
    this.writeId();
    json.note(ID, idAt);
    json.piece(CONNECTION);
    this.#writeAddress(walk.srcStart, walk.srcEnd);
    if (walk.destPort >= 0) {
      json.piece(SRC_PORT);
      const portAt = json.at;
      json.number(walk.srcPort);
      json.note(walk.srcPortStart, portAt);
    }
    json.piece(DEST_IP);
    this.#writeAddress(walk.destStart, walk.destEnd);
    if (walk.destPort >= 0) {
      json.piece(DEST_PORT);
      json.number(walk.destPort);
    }
    json.piece(PROTOCOL);
    json.ascii(protocolName(walk.bytes, walk.protocol, walk.protoStart, walk.protoEnd));
    json.piece(DIRECTION_JSON[this.#direction()]!);
    json.piece(prefix.verdictJson);
    const sidesAt = json.at;
    this.writeSides();
    if (notesSides) json.note(SIDES, sidesAt);
    json.piece(COUNT);
    json.number(count);
    json.piece(this.#nodeName);
    const timeAt = json.at;
    this.writeTime();
    json.note(TIME, timeAt);
    json.piece(PACKETS);
    json.number(count);
    if (walk.length > 0) {
      json.piece(BYTES);
      const bytesAt = json.at;
      json.number(walk.length * count);
      json.note(walk.lengthStart, bytesAt);
    }
    json.piece(prefix.textJson);
    this.#writePacket();
    json.piece(this.#source);
  }

  /** `timestamp()` */
  writeTime(): void {
    this.#timeStart = json.at;
    if (this.timeDigits > 6) json.ascii(this.timestamp());
    else json.time(this.timeUs, this.timeDigits);
    this.#timeEnd = json.at;
  }

  /** @returns how many bytes their names take at most */
  #findSides(enricher: Enricher | undefined): number {
    const { walk } = this;
    const sides = this.#sides;
    sides.src = this.#sideJson(enricher, walk.srcStart, walk.srcEnd, 'in');
    sides.dest = this.#sideJson(enricher, walk.destStart, walk.destEnd, 'out');
    sides.srcNetwork = sides.src === '' ? this.#network(walk.srcStart, walk.srcEnd, enricher) : NO_NETWORK;
    sides.destNetwork =
      sides.dest === '' ? this.#network(walk.destStart, walk.destEnd, enricher) : NO_NETWORK;
    const { src, dest, srcNetwork, destNetwork } = sides;
    return BYTES_PER_UNIT * (src.length + dest.length) + srcNetwork.length + destNetwork.length;
  }

  /** The side at an address, as JSON, where the enricher knows whose it is; else empty. */
  #sideJson(enricher: Enricher | undefined, start: number, end: number, way: 'in' | 'out'): string {
    if (enricher?.sideOf === undefined) return '';
    const { walk } = this;
    const { bytes } = walk;
    const isBridged = walk[`phys${way}End`] > walk[`phys${way}Start`];
    const nameStart = isBridged ? walk[`phys${way}Start`] : walk[`${way}Start`];
    const nameEnd = isBridged ? walk[`phys${way}End`] : walk[`${way}End`];
    const address = canonicalIpBytes(bytes, start, end)!;
    const name = nameEnd > nameStart ? bytes.toString('latin1', nameStart, nameEnd) : undefined;
    return enricher.sideOf(address, name, this.timeUs) ?? '';
  }

  /** The `network` member of a side, as the enricher has it. */
  #network(start: number, end: number, enricher: Enricher | undefined): Piece {
    return enricher === undefined ? NO_NETWORK : this.#networks.find(enricher, this.walk.bytes, start, end);
  }

  #writeAddress(start: number, end: number): void {
    const { bytes, version } = this.walk;
    if (version === 4) json.range(bytes, start, end);
    else json.ascii(canonicalIpBytes(bytes, start, end)!);
    json.byte(QUOTE);
  }

  #writePacket(): void {
    const { walk } = this;
    const { bytes } = walk;
    json.piece(PACKET);
    const opened = json.at;
    if (walk.inEnd > walk.inStart) {
      json.piece(IN);
      writeName(json, bytes, walk.inStart, walk.inEnd);
    }
    if (walk.outEnd > walk.outStart) {
      json.piece(OUT);
      writeName(json, bytes, walk.outStart, walk.outEnd);
    }
    fields.write(bytes, walk.outEnd + 1, walk.end);
    json.openAt(opened);
  }

  #direction(): number {
    const { walk, prefix } = this;
    if (prefix.response) return UNKNOWN;
    const bridgedIn = walk.physinEnd > walk.physinStart;
    const bridgedOut = walk.physoutEnd > walk.physoutStart;
    return packetDirection(
      walk.bytes,
      bridgedIn ? walk.physinStart : walk.inStart,
      bridgedIn ? walk.physinEnd : walk.inEnd,
      bridgedOut ? walk.physoutStart : walk.outStart,
      bridgedOut ? walk.physoutEnd : walk.outEnd,
      this.#workloadInterfaces,
    );
  }
}

/** One writer for all lines: a record is written in one go. */
const json = new ByteWriter();
const fields = new NetfilterFields(json);
let scratch = Buffer.allocUnsafe(16_384);

function numberEnd(bytes: Uint8Array, start: number): number {
  let end = start;
  while (bytes[end]! >= 0x30 && bytes[end]! <= 0x39) end++;
  return end;
}

/** No field's JSON is longer than this many times its text: `DF ` becomes `,"ip_flags":["DF"]`. */
const BYTES_PER_LINE_BYTE = 12;
/** What every record has beside: keys, addresses, numbers, the timestamp. */
const VARIABLE_BYTES = 512;
const QUOTE = 0x22;
const NO_ID = Buffer.alloc(0);
const HEAD = pieceOf('{"id":"');
const CONNECTION = pieceOf('","connection":{"src_ip":"');
const SRC_PORT = keyPiece('src_port');
const DEST_IP = pieceOf(',"dest_ip":"');
const DEST_PORT = keyPiece('dest_port');
const PROTOCOL = pieceOf(',"protocol":"');
const DIRECTION_JSON = DIRECTIONS.map((name) => pieceOf(name ? `","direction":"${name}"}` : '"}'));
const SRC_INSTANCE = pieceOf(',"src":{"instance":"');
const DEST_INSTANCE = pieceOf(',"dest":{"instance":"');
const BRACE_CLOSE = 0x7d;
const COUNT = pieceOf(',"count":');
/** A UTF-16 unit takes at most three bytes. */
const BYTES_PER_UNIT = 3;
const PACKETS = pieceOf('","packets":');
const BYTES = keyPiece('bytes');
const PACKET = pieceOf(',"packet":');
const IN = keyPiece('in');
const OUT = keyPiece('out');

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x01000193);
  return mixed ^ (mixed >>> 15);
}

function hashBytes(seed: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = seed;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash ^ (hash >>> 13);
}
