import type { Random } from '../random.ts';

/**
 * One thing that a cluster's policies keep from happening: a client that wants to reach a destination. Every
 * packet of it makes the same line but for its time, IP id, source port (or ICMP id) and number:
 * `before <id> between <port> after`.
 */
export interface Conversation {
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly before: string;
  readonly between: string;
  readonly after: string;
  /** Highest `<id>`: 65535 for an IPv4 id, more for an IPv6 flow label. */
  readonly idMax: number;
  /** Event time from which the client has given up. */
  readonly endsUs: number;
  /** When its latest window opened. */
  windowUs: number;
}

const TCP_PORTS = [22, 80, 443, 2379, 3306, 5432, 6379, 8080, 8443, 9090, 9092, 9200, 10250, 27017];
const UDP_PORTS = [53, 53, 53, 123, 161, 514, 4789, 8125];
const PAUSE_MAC = 'ee:ee:ee:ee:ee:ee';

/** Makes conversations, no two with the same addresses, port and protocol. */
export class Conversations {
  readonly #random: Random;
  readonly #prefixes: readonly string[];
  readonly #lifetimeUs: number;
  readonly #pods: { ip4: string; ip6: string; interface: string; mac: string }[] = [];
  readonly #seen = new Set<string>();

  /** @param lifetimeUs how long a client goes on trying, on average */
  constructor(random: Random, prefixes: readonly string[], pods: number, lifetimeUs: number) {
    this.#random = random;
    this.#prefixes = prefixes;
    this.#lifetimeUs = lifetimeUs;
    for (let n = 0; n < pods; n++) {
      this.#pods.push({
        ip4: `10.244.${3 + (n >> 8)}.${n & 255}`,
        ip6: `fd00:0010:0244:0003:0000:0000:0000:${(n + 16).toString(16).padStart(4, '0')}`,
        interface: `cali${random.hex(11)}`,
        mac: mac(random),
      });
    }
  }

  make(nowUs: number): Conversation {
    const random = this.#random;
    const ip6 = random.chance(0.06);
    const kind = random.unit();
    const protocol = kind < 0.8 ? 'tcp' : kind < 0.97 ? 'udp' : 'icmp';
    const port = protocol === 'tcp' ? random.pick(TCP_PORTS) : random.pick(UDP_PORTS);
    const pod = random.pick(this.#pods);
    const peer = random.pick(this.#pods);
    const far = ip6
      ? `2001:0db8:${random.hex(4)}:0000:0000:0000:0000:${random.hex(4)}`
      : `10.${random.pick([96, 128, 244])}.${random.below(256)}.${1 + random.below(254)}`;
    // Egress of a pod, ingress to one, between two on this node, and to the host itself.
    const way = random.unit();
    const local = way > 0.85 && way < 0.97 && peer !== pod;
    const ingress = way >= 0.45 && way <= 0.85;
    const here = ip6 ? pod.ip6 : pod.ip4;
    const there = local ? (ip6 ? peer.ip6 : peer.ip4) : far;
    const [src, dest] = ingress ? [there, here] : [here, there];
    const key = `${protocol} ${src} ${dest} ${protocol === 'icmp' ? '' : port}`;
    if (this.#seen.has(key)) return this.make(nowUs);
    this.#seen.add(key);

    const head = ingress
      ? `IN=eth0 OUT=${pod.interface} MAC=52:54:00:12:34:56:${mac(random)}:${ip6 ? '86:dd' : '08:00'} `
      : way >= 0.97
        ? `IN=${pod.interface} OUT= MAC=${PAUSE_MAC}:${pod.mac}:${ip6 ? '86:dd' : '08:00'} `
        : `IN=${pod.interface} OUT=${local ? peer.interface : 'eth0'} MAC=${PAUSE_MAC}:${pod.mac}:${ip6 ? '86:dd' : '08:00'} `;
    const hops = way >= 0.97 ? 64 : 63;
    const mark = random.chance(0.1) ? 'MARK=0x10000 ' : '';
    const dataBytes = 20 + random.below(60);
    const ip4Bytes = protocol === 'tcp' ? 60 : protocol === 'udp' ? 28 + dataBytes : 84;
    return {
      protocol,
      before:
        `${random.pick(this.#prefixes)}: ${head}SRC=${src} DST=${dest} ` +
        (ip6
          ? `LEN=${ip4Bytes + 20} TC=0 HOPLIMIT=${hops} FLOWLBL=`
          : `LEN=${ip4Bytes} TOS=0x00 PREC=0x00 TTL=${hops} ID=`),
      between:
        (ip6 ? ' ' : ' DF ') +
        (protocol === 'tcp'
          ? 'PROTO=TCP SPT='
          : protocol === 'udp'
            ? 'PROTO=UDP SPT='
            : ip6
              ? 'PROTO=ICMPv6 TYPE=128 CODE=0 ID='
              : 'PROTO=ICMP TYPE=8 CODE=0 ID='),
      after:
        protocol === 'tcp'
          ? ` DPT=${port} WINDOW=${ip6 ? 64800 : 64240} RES=0x00 SYN URGP=0 ${mark}`
          : protocol === 'udp'
            ? ` DPT=${port} LEN=${8 + dataBytes} ${mark}`
            : ` SEQ=1 ${mark}`,
      idMax: ip6 ? 0xfffff : 0xffff,
      endsUs: nowUs + Math.floor(this.#lifetimeUs * (0.2 + 1.6 * random.unit())),
      windowUs: Number.NEGATIVE_INFINITY,
    };
  }
}

function mac(random: Random): string {
  return `${random.hex(2)}:${random.hex(2)}:${random.hex(2)}:${random.hex(2)}:${random.hex(2)}:${random.hex(2)}`;
}
