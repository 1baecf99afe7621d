import type { Enricher } from '../../parsers/line.ts';
import type { Endpoint, FlowRecord } from '../../parsers/record.ts';
import type { EnrichConfig } from '../config/schema.ts';
import { type AddressWords, containsAddress, type Network, readAddress, readNetwork } from './network.ts';

/** Addresses whose network is remembered; all are forgotten when there are more. */
const CACHE_MAX = 8192;

/** What the public Internet does not carry: private, shared, loopback, link-local, multicast, reserved. */
const PRIVATE = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
  '::/127',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
];

/**
 * Gives names to addresses. A side that the source has named keeps its names; one without is an `instance`, and
 * says in which `network` it is: the longest configured one that holds it, else `private` or `public`.
 */
export class Enrich implements Enricher {
  /** The longest first. */
  readonly #networks: readonly { readonly name: string; readonly network: Network }[];
  readonly #nameOf = new Map<string, string>();

  constructor(config: EnrichConfig) {
    const configured = config.networks.flatMap(({ name, cidrs }) => cidrs.map((cidr) => named(name, cidr)));
    configured.sort((one, other) => other.network.bits - one.network.bits);
    this.#networks = [...configured, ...PRIVATE.map((cidr) => named('private', cidr))];
  }

  /** Changes the record. */
  enrich(record: FlowRecord): void {
    this.#side(record.src, record.connection.src_ip);
    this.#side(record.dest, record.connection.dest_ip);
  }

  #side(side: Endpoint, address: string | undefined): void {
    if (side.instance === undefined) {
      if (address === undefined || isNamed(side)) return;
      side.instance = address;
    }
    if (side.network !== undefined) return;
    const network = this.networkOf(side.instance);
    if (network !== undefined) side.network = network;
  }

  /** The network of an address; undefined for what is none. */
  networkOf(address: string): string | undefined {
    const known = this.#nameOf.get(address);
    if (known !== undefined) return known;
    const words = readAddress(address);
    if (words === undefined) return undefined;
    const name = this.#search(words);
    if (this.#nameOf.size >= CACHE_MAX) this.#nameOf.clear();
    this.#nameOf.set(address, name);
    return name;
  }

  #search(words: AddressWords): string {
    return this.#networks.find(({ network }) => containsAddress(network, words))?.name ?? 'public';
  }
}

/** Whether the source says who this is. */
export function isNamed(side: Endpoint): boolean {
  return side.pod_name !== undefined || side.node_name !== undefined || side.workload_name !== undefined;
}

function named(name: string, cidr: string): { name: string; network: Network } {
  return { name, network: readNetwork(cidr)! };
}
