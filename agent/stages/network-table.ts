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
  readonly #lengths: { readonly bits: number; readonly byWords: Map<string, NamedNetwork> }[] = [];

  constructor(networks: Iterable<NamedNetwork>) {
    for (const named of networks) {
      const { bits, words } = named.network;
      let length = this.#lengths.find((one) => one.bits === bits);
      if (length === undefined) {
        length = { bits, byWords: new Map() };
        this.#lengths.push(length);
      }
      const key = keyOf(words, bits);
      if (!length.byWords.has(key)) length.byWords.set(key, named);
    }
    this.#lengths.sort((one, other) => other.bits - one.bits);
  }

  find(address: AddressWords): NamedNetwork | undefined {
    for (const { bits, byWords } of this.#lengths) {
      const found = byWords.get(keyOf(address, bits));
      if (found !== undefined) return found;
    }
    return undefined;
  }
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
