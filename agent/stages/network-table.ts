import { type AddressWords, type Network, readNetwork } from './network.ts';

export interface NamedNetwork {
  readonly name: string;
  readonly network: Network;
}

/**
 * Names of networks, looked up by longest match: one look into a map for each length that a network has, however many
 * networks there are. Of two names for one network the first given counts.
 */
export class NetworkTable {
  /** The longest first. */
  readonly #lengths: Length[] = [];

  constructor(networks: Iterable<NamedNetwork>) {
    for (const named of networks) {
      const { bits, words } = named.network;
      let length = this.#lengths.find((one) => one.bits === bits);
      if (length === undefined) {
        length = { bits, byWords: new Map(), byIpv4: new Map() };
        this.#lengths.push(length);
      }
      const key = keyOf(words, bits);
      if (length.byWords.has(key)) continue;
      length.byWords.set(key, named);
      if (isIpv4(words) && bits >= IPV4_AT) length.byIpv4.set(ipv4KeyOf(words[3], bits), named);
    }
    this.#lengths.sort((one, other) => other.bits - one.bits);
  }

  find(address: AddressWords): NamedNetwork | undefined {
    const ipv4 = isIpv4(address);
    for (const { bits, byWords, byIpv4 } of this.#lengths) {
      const found =
        ipv4 && bits >= IPV4_AT ? byIpv4.get(ipv4KeyOf(address[3], bits)) : byWords.get(keyOf(address, bits));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** The networks of one length. */
interface Length {
  readonly bits: number;
  readonly byWords: Map<string, NamedNetwork>;
  /** Those of IPv4 once more, by a number: most addresses are looked up among these. */
  readonly byIpv4: Map<number, NamedNetwork>;
}

/** The bits before an IPv4 address. */
const IPV4_AT = 96;

function isIpv4([first, second, third]: AddressWords): boolean {
  return first === 0 && second === 0 && third === 0xffff;
}

function ipv4KeyOf(word: number, bits: number): number {
  return bits === IPV4_AT ? 0 : (word & (-1 << (IPV4_AT + 32 - bits))) >>> 0;
}

/** @param cidr a network, or an address as a network of one; none where it is neither */
export function namedNetworks(name: string, cidr: string): NamedNetwork[] {
  const network = readNetwork(cidr);
  return network === undefined ? [] : [{ name, network }];
}

/** The first `bits` bits of an address. */
function keyOf([first, second, third, fourth]: AddressWords, bits: number): string {
  const word = (value: number, at: number) =>
    bits <= at ? 0 : bits >= at + 32 ? value : (value & (-1 << (at + 32 - bits))) >>> 0;
  return `${word(first, 0)}.${word(second, 32)}.${word(third, 64)}.${word(fourth, 96)}`;
}
