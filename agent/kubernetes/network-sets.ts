import { NetworkTable, namedNetworks } from '../stages/network-table.ts';
import type { ObjectStore } from './object-store.ts';
import type { ObjectMetadata } from './pod-facts.ts';

/** Networks of all sets together; what is beyond has no names. */
const NETWORKS_MAX = 100_000;

/** What of a NetworkSet or GlobalNetworkSet object is looked at. */
export interface NetworkSetObject {
  readonly metadata: ObjectMetadata;
  readonly spec?: { readonly nets?: readonly string[] };
}

interface Known {
  readonly name: string;
  readonly nets: readonly string[];
  listing: number;
}

/** Calico's network sets: NAMESPACE/NAME, or NAME of a global one, for each of their networks. */
export class NetworkSets {
  readonly #stores: Store[] = [];
  #table: NetworkTable | undefined;

  /** The store of one of the kinds. */
  store(): ObjectStore<NetworkSetObject> & { readonly size: number } {
    const store = new Store(() => {
      this.#table = undefined;
    });
    this.#stores.push(store);
    return store;
  }

  /** Made anew when a set has changed and somebody asks. */
  get table(): NetworkTable {
    this.#table ??= this.#makeTable();
    return this.#table;
  }

  #makeTable(): NetworkTable {
    const sets = this.#stores.flatMap(({ known }) => [...known.values()]);
    // Of two sets with the same network always the same one.
    sets.sort((one, other) => (one.name < other.name ? -1 : 1));
    const networks = sets.flatMap(({ name, nets }) => nets.flatMap((net) => namedNetworks(name, net)));
    return new NetworkTable(networks.slice(0, NETWORKS_MAX));
  }
}

class Store implements ObjectStore<NetworkSetObject> {
  readonly known = new Map<string, Known>();
  readonly #changed: () => void;
  #listing = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get size(): number {
    return this.known.size;
  }

  beginList(): void {
    this.#listing += 1;
  }

  put({ metadata, spec }: NetworkSetObject): void {
    const { namespace, name = '' } = metadata;
    const fullName = namespace === undefined ? name : `${namespace}/${name}`;
    // What a custom resource holds is only what its definition checks.
    const nets = [spec?.nets ?? []].flat().filter((net) => typeof net === 'string');
    this.known.set(fullName, { name: fullName, nets, listing: this.#listing });
    this.#changed();
  }

  remove({ metadata }: NetworkSetObject): void {
    const { namespace, name = '' } = metadata;
    this.known.delete(namespace === undefined ? name : `${namespace}/${name}`);
    this.#changed();
  }

  endList(): void {
    for (const [name, { listing }] of this.known) if (listing !== this.#listing) this.known.delete(name);
    this.#changed();
  }
}
