import { packetDirection } from './direction.ts';
import { canonicalIpBytes } from './ip.ts';
import type { FlowLine } from './line.ts';
import { nameText, packetFields, protocolName } from './netfilter-fields.ts';
import { NetfilterWalk } from './netfilter-walk.ts';
import type { Prefix } from './prefix.ts';
import type { Connection, Disposition, FlowRecord, Packet } from './record.ts';
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
  readonly #context: FlowContext;
  #packetHash = 0;
  #hash = 0;

  constructor(context: FlowContext) {
    this.#context = context;
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

  toRecord(id: string): FlowRecord {
    const { walk, prefix, count } = this;
    const { bytes } = walk;
    const { input, format, node } = this.#context;
    const packet: Packet = {};
    if (walk.inEnd > walk.inStart) packet.in = nameText(bytes, walk.inStart, walk.inEnd);
    if (walk.outEnd > walk.outStart) packet.out = nameText(bytes, walk.outStart, walk.outEnd);
    packetFields(bytes, walk.outEnd, walk.end, packet);
    const connection = this.#connection(packet);
    const record: FlowRecord = {
      id,
      connection,
      disposition: prefix.disposition,
      ...(prefix.policies && { policies: prefix.policies.map((policy) => ({ ...policy })) }),
      src: { instance: connection.src_ip! },
      dest: { instance: connection.dest_ip! },
      count,
      node_name: node,
      timestamp: this.timestamp(),
      packets: count,
      ...(walk.length > 0 && { bytes: walk.length * count }),
      prefix: prefix.text,
      packet,
      source: { input, format },
    };
    return record;
  }

  #connection(packet: Packet): Connection {
    const { walk } = this;
    const { bytes } = walk;
    const connection: Connection = {
      src_ip: canonicalIpBytes(bytes, walk.srcStart, walk.srcEnd)!,
      dest_ip: canonicalIpBytes(bytes, walk.destStart, walk.destEnd)!,
      protocol: protocolName(bytes, walk.protocol, walk.protoStart, walk.protoEnd),
    };
    if (walk.destPort >= 0) {
      connection.src_port = walk.srcPort;
      connection.dest_port = walk.destPort;
    }
    const direction = this.prefix.response ? undefined : this.#direction(packet);
    if (direction !== undefined) connection.direction = direction;
    return connection;
  }

  #direction(packet: Packet): 'ingress' | 'egress' | undefined {
    const { workloadInterfaces } = this.#context;
    return packetDirection(
      packet.physin ?? packet.in ?? '',
      packet.physout ?? packet.out ?? '',
      workloadInterfaces,
    );
  }
}

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
