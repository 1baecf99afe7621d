import type { Enricher, FlowLine } from '../../parsers/line.ts';
import type { Endpoint, FlowRecord, Policy } from '../../parsers/record.ts';
import type { EnrichConfig } from '../config/schema.ts';
import type { Head, Heads } from './heads.ts';
import { type Found, sideOf } from './holder.ts';
import { type AddressWords, readAddress } from './network.ts';
import { NetworkTable, namedNetworks } from './network-table.ts';

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

/** Formats whose lines say who their sides are; what is an `instance` there is nobody that the source knows. */
const NAMING_FORMATS = new Set(['policy_action', 'flow_log']);

/** What is known of a cluster. */
export interface Identity {
  /** Who had an address at a time. @param interfaceName of this node, that leads to the address */
  who(address: string, interfaceName: string | undefined, timeUs: number): Found | undefined;
  /** Names of networks outside the cluster; another object when they have changed. */
  readonly networkSets: NetworkTable | undefined;
  /** The policies that may have denied to a pod; where they are to be told. */
  readonly candidates: ((namespace: string, pod: string, direction: string) => Policy[]) | undefined;
}

/** Whether what an enriched record says of its sides is true at another time. */
export type Holds = (timeUs: number) => boolean;

/**
 * Gives names to addresses. A side that the source has named keeps its names; one without is a pod, a node or a
 * service, where the cluster tells who had the address at the time of the event; else it is an `instance`, and says
 * in which `network` it is: the longest configured one that holds it, else `private` or `public`.
 */
export class Enrich implements Enricher {
  readonly #configured: NetworkTable;
  readonly #private = new NetworkTable(PRIVATE.flatMap((cidr) => namedNetworks('private', cidr)));
  readonly #nameOf = new Map<string, string>();
  readonly #identity: Identity | undefined;
  #networkSets: NetworkTable | undefined;
  /** Whom `sideOf` has named, while `open` wants to know. */
  #named: Found[] | undefined;
  /** Only with an identity: without one nobody need be asked. */
  readonly sideOf?: NonNullable<Enricher['sideOf']>;

  constructor(config: EnrichConfig, identity?: Identity) {
    const networks = config.networks.flatMap(({ name, cidrs }) =>
      cidrs.flatMap((cidr) => namedNetworks(name, cidr)),
    );
    this.#configured = new NetworkTable(networks);
    this.#identity = identity;
    if (identity === undefined) return;
    this.sideOf = (address, interfaceName, timeUs) => {
      const found = identity.who(address, interfaceName, timeUs);
      if (found !== undefined) this.#named?.push(found);
      return found && JSON.stringify(sideOf(found.holder, found.by));
    };
  }

  /** Whether denied and unknown records get more than their sides. */
  get looksAtDenials(): boolean {
    return this.#identity?.candidates !== undefined;
  }

  get networksVersion(): unknown {
    return this.#identity?.networkSets;
  }

  /**
   * Changes the record.
   * @param timeUs the time of the event
   * @returns when what it says of its sides holds; undefined: always
   */
  enrich(record: FlowRecord, timeUs: number): Holds | undefined {
    const { connection, packet, src, dest } = record;
    let from: Found | undefined;
    let to: Found | undefined;
    if (this.#identity !== undefined) {
      const isSourceSure = NAMING_FORMATS.has(record.source.format);
      const isOpen = (side: Endpoint) =>
        !isNamed(side) && side.resolved_by === undefined && !(isSourceSure && side.instance !== undefined);
      if (isOpen(src)) from = this.#name(src, connection.src_ip, packet?.physin ?? packet?.in, timeUs);
      if (isOpen(dest)) to = this.#name(dest, connection.dest_ip, packet?.physout ?? packet?.out, timeUs);
    }
    this.#place(src, connection.src_ip);
    this.#place(dest, connection.dest_ip);
    this.#addCandidates(record);
    return holding([from, to]);
  }

  /**
   * Has among `heads` written what the record begins with of a window that the line opens: as by `enrich`, but for what
   * `looksAtDenials` adds. Only for lines that have a `writeOpening`.
   * @returns when it holds; undefined: always
   */
  open(line: FlowLine, id: Buffer, heads: Heads, head: Head): Holds | undefined {
    const named: Found[] | undefined = this.#identity === undefined ? undefined : [];
    this.#named = named;
    heads.ofLine(head, line, id, this);
    this.#named = undefined;
    return named && holding(named);
  }

  /** The network of an address; undefined for what is none. */
  networkOf(address: string): string | undefined {
    if (this.#identity?.networkSets !== this.#networkSets) {
      this.#networkSets = this.#identity?.networkSets;
      this.#nameOf.clear();
    }
    const known = this.#nameOf.get(address);
    if (known !== undefined) return known;
    const words = readAddress(address);
    if (words === undefined) return undefined;
    const name = this.#search(words);
    if (this.#nameOf.size >= CACHE_MAX) this.#nameOf.clear();
    this.#nameOf.set(address, name);
    return name;
  }

  /** Names a side of which the source says nothing but its address, where somebody is known to have had that. */
  #name(
    side: Endpoint,
    address: string | undefined,
    interfaceName: string | undefined,
    timeUs: number,
  ): Found | undefined {
    const found = address === undefined ? undefined : this.#identity!.who(address, interfaceName, timeUs);
    if (found === undefined) return undefined;
    delete side.instance;
    Object.assign(side, sideOf(found.holder, found.by));
    return found;
  }

  /** Says where a side without a name is. */
  #place(side: Endpoint, address: string | undefined): void {
    if (side.instance === undefined) {
      if (address === undefined || isNamed(side)) return;
      side.instance = address;
    }
    if (side.network !== undefined) return;
    const network = this.networkOf(side.instance);
    if (network !== undefined) side.network = network;
  }

  #addCandidates(record: FlowRecord): void {
    const { direction } = record.connection;
    const candidates = this.#identity?.candidates;
    if (candidates === undefined || record.disposition === 'allow' || direction === undefined) return;
    const { namespace, pod_name } = direction === 'ingress' ? record.dest : record.src;
    if (namespace === undefined || pod_name === undefined) return;
    const policies = candidates(namespace, pod_name, direction);
    if (policies.length > 0) record.candidate_policies = policies;
  }

  #search(words: AddressWords): string {
    const configured = this.#configured.find(words);
    const set = this.#networkSets?.find(words);
    const isSetLonger = set !== undefined && set.network.bits > (configured?.network.bits ?? -1);
    const found = isSetLonger ? set : configured;
    return found?.name ?? this.#private.find(words)?.name ?? 'public';
  }
}

/** Whether the source says who this is. */
export function isNamed(side: Endpoint): boolean {
  return side.pod_name !== undefined || side.node_name !== undefined || side.workload_name !== undefined;
}

function holding(sides: readonly (Found | undefined)[]): Holds | undefined {
  const claims = sides.map((side) => side?.claim).filter((claim) => claim !== undefined);
  if (claims.length === 0) return undefined;
  return (timeUs) => claims.every(({ fromUs, untilUs }) => timeUs >= fromUs && timeUs <= untilUs);
}
