import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowRecord, Policy } from '../../parsers/record.ts';
import type { Clock } from '../clock.ts';
import type { KubernetesConfig } from '../config/kubernetes.ts';
import { Tally } from '../observe/accounts.ts';
import type { Identity } from '../stages/enrich.ts';
import type { Found } from '../stages/holder.ts';
import type { NetworkTable } from '../stages/network-table.ts';
import type { Annotations } from '../stages/select.ts';
import { AddressBook } from './address-book.ts';
import { Annotated } from './annotated.ts';
import type { ApiClient } from './api-client.ts';
import { DeniedEvents } from './denied-events.ts';
import { EventWriter } from './event-writer.ts';
import { Holders } from './holders.ts';
import { HostAddresses } from './host-addresses.ts';
import { NetworkSets } from './network-sets.ts';
import { readNode, readService } from './nodes-and-services.ts';
import type { ObjectStore } from './object-store.ts';
import { Owners } from './owners.ts';
import type { ObjectMetadata } from './pod-facts.ts';
import { Pods } from './pods.ts';
import { Policies } from './policies.ts';
import { Reflector, type ReflectorEvents, type Resource } from './reflector.ts';
import { Resolver } from './resolver.ts';

const EXPIRE_MS = 10_000;
const NODES_MAX = 20_000;
const SERVICES_MAX = 50_000;

/** What of a cluster is asked for. */
export interface ClusterNeeds {
  readonly config: KubernetesConfig;
  /** Whether annotations of policies and namespaces decide about records. */
  readonly delegatesAllow: boolean;
  readonly delegatesDeny: boolean;
}

export interface ClusterSurroundings {
  readonly node: string;
  readonly api: ApiClient;
  readonly clock: Clock;
  /** Of a clock that is never set, microseconds. */
  readonly monotonicUs: () => number;
  readonly events: Pick<ReflectorEvents, 'failing' | 'recovered'>;
}

/** One kind of object, for the metrics. */
export interface Watched {
  readonly resource: string;
  readonly isSynced: boolean;
  readonly contactMs: number | undefined;
  readonly restarts: Tally;
  readonly objects: number;
}

/**
 * What the agent knows of its cluster: which pod, node or service had an address at a time, what policies select a
 * pod, what networks outside are called, and what is annotated. Each part is watched only if it is asked for.
 *
 * Promises: nothing waits for the API server but `ready`, and that not for ever; what is known stays in use while
 * the API server is away, as long as the configuration says. Inert until `start`.
 */
export class Cluster implements Identity {
  /** Sides of records that have no name although the address is, or may be, somebody's, by reason. */
  readonly unnamed = new Tally();
  readonly candidates: Identity['candidates'];
  readonly annotations: Annotations;
  /** To be called with every record of a denial, where Events are asked for. */
  readonly denied: ((record: FlowRecord) => void) | undefined;
  /** Where Events are asked for. */
  readonly events: EventWriter | undefined;
  readonly pods: Pods;
  readonly #config: KubernetesConfig;
  readonly #surroundings: ClusterSurroundings;
  readonly #stop = new AbortController();
  readonly #book: AddressBook;
  readonly #resolver: Resolver;
  readonly #networkSets: NetworkSets | undefined;
  readonly #watched: { readonly reflector: Reflector<never>; readonly size: () => number }[] = [];
  readonly #bounded: { readonly refused: number }[];
  #runs: Promise<unknown> | undefined;

  constructor({ config, delegatesAllow, delegatesDeny }: ClusterNeeds, surroundings: ClusterSurroundings) {
    this.#config = config;
    this.#surroundings = surroundings;
    const { node, api, clock } = surroundings;
    const keepUs = config.keep_deleted * 1000;
    this.#book = new AddressBook(keepUs, config.objects_max);
    const owners = config.workload === 'top' ? new Owners(api, this.#stop.signal) : undefined;
    this.pods = new Pods(
      {
        node,
        keepUs,
        podsMax: config.objects_max,
        labels: config.labels,
        keepsAllLabels: config.candidate_policies,
        onWorkload: owners && ((...workload) => owners.ask(...workload)),
      },
      this.#book,
    );
    this.#resolver = new Resolver(this.pods, this.#book, keepUs);

    this.#bounded = [this.pods];
    if (config.scope === 'node') {
      const host = new HostAddresses(node, this.pods, this.#book);
      const fieldSelector = `spec.nodeName=${node}`;
      this.#watch({ name: 'pods', path: '/api/v1/pods', fieldSelector }, host, () => this.pods.size);
    } else {
      const nodes = new Holders(readNode, this.#book, NODES_MAX);
      const services = new Holders(readService, this.#book, SERVICES_MAX);
      this.#bounded.push(nodes, services);
      this.#watch({ name: 'pods', path: '/api/v1/pods' }, this.pods, () => this.pods.size);
      this.#watch({ name: 'nodes', path: '/api/v1/nodes' }, nodes, () => nodes.size);
      this.#watch({ name: 'services', path: '/api/v1/services' }, services, () => services.size);
    }
    this.candidates = this.#watchPolicies();
    this.annotations = this.#watchAnnotations(delegatesAllow, delegatesDeny);
    this.#networkSets = this.#watchNetworkSets();
    if (config.events.enabled) {
      this.events = new EventWriter(api, node, config.events.per_minute, clock, this.#stop.signal);
      const events = new DeniedEvents(this.pods, this.events, clock);
      this.denied = (record) => events.denied(record);
    }
  }

  /** Everything that is watched. */
  get watched(): Watched[] {
    return this.#watched.map(({ reflector, size }) => ({
      resource: reflector.resource.name,
      isSynced: reflector.isSynced,
      contactMs: reflector.contactMs,
      restarts: reflector.restarts,
      objects: size(),
    }));
  }

  get networkSets(): NetworkTable | undefined {
    return this.#networkSets?.table;
  }

  /** Addresses that are known, and claims to them that have ended and are remembered. */
  get addresses(): { readonly known: number; readonly ended: number } {
    return { known: this.#book.size, ended: this.#book.ended };
  }

  /** Objects beyond a bound. */
  get refused(): number {
    return this.#bounded.reduce((sum, { refused }) => sum + refused, 0);
  }

  /** By how much this node's clock was seen to differ from the API server's, in seconds. */
  get skewSeconds(): number {
    return this.#resolver.skewUs / 1e6;
  }

  /** What was asked of the API server. */
  get use(): { readonly requests: number; readonly bytes: number } {
    return this.#surroundings.api.use;
  }

  /** Begins to watch. */
  start(): void {
    const { signal } = this.#stop;
    const runs = this.#watched.map(({ reflector }) => reflector.run(signal));
    const expire = setInterval(() => this.#expire(), EXPIRE_MS);
    expire.unref();
    signal.addEventListener('abort', () => clearInterval(expire));
    this.#runs = Promise.all(runs);
  }

  /**
   * Resolves when everything has been listed, and at the latest when the configured wait is over.
   * @returns what has not been listed
   */
  async ready(signal: AbortSignal): Promise<string[]> {
    const waited = new AbortController();
    const over = sleep(this.#config.jitter + this.#config.sync_wait, undefined, {
      signal: AbortSignal.any([signal, waited.signal]),
    }).catch(() => {});
    await Promise.race([this.#synced(), over]);
    waited.abort();
    return this.watched.filter(({ isSynced }) => !isSynced).map(({ resource }) => resource);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#runs;
    this.#surroundings.api.close();
  }

  /** To be called before lines are read: what the clock says now. */
  observeClock(): void {
    const { clock, monotonicUs } = this.#surroundings;
    this.#resolver.observe(clock.now() * 1000, monotonicUs());
  }

  who(address: string, interfaceName: string | undefined, timeUs: number): Found | undefined {
    const found = this.#resolver.find(address, interfaceName, timeUs);
    if (typeof found !== 'string') return found;
    if (!this.#watched[0]!.reflector.isSynced) this.unnamed.add('not_synced');
    else if (found !== 'unknown') this.unnamed.add(found);
    return undefined;
  }

  #synced(): Promise<unknown> {
    return Promise.all(this.#watched.map(({ reflector }) => reflector.listed));
  }

  #expire(): void {
    const nowUs = this.#surroundings.clock.now() * 1000;
    this.#book.expire(nowUs);
    this.pods.expire(nowUs);
  }

  #watch<T extends { readonly metadata: ObjectMetadata }>(
    resource: Resource,
    store: ObjectStore<T>,
    size: () => number,
  ): void {
    const { api, clock, events } = this.#surroundings;
    const serverTime = (serverMs: number) => {
      // A Date header has whole seconds: in the middle it is off by at most half of one.
      const nowMs = clock.now();
      this.#resolver.observeSkew((serverMs + 500 - nowMs) * 1000, nowMs * 1000);
    };
    const isOfAddresses = resource.name === 'pods';
    const reflector = new Reflector<T>({
      resource,
      store: isOfAddresses ? vouching(store, this.#book, this.#config.stale_max * 1000) : store,
      api,
      clock,
      jitterMs: this.#config.jitter,
      events: { ...events, serverTime },
    });
    this.#watched.push({ reflector: reflector as unknown as Reflector<never>, size });
  }

  #watchPolicies(): Identity['candidates'] {
    if (!this.#config.candidate_policies) return undefined;
    const policies = new Policies();
    const path = '/apis/networking.k8s.io/v1/networkpolicies';
    this.#watch({ name: 'networkpolicies', path }, policies, () => policies.size);
    return (namespace: string, pod: string, direction: string): Policy[] => {
      const labels = this.pods.local(namespace, pod)?.allLabels;
      return labels === undefined ? [] : policies.candidates(namespace, labels, direction);
    };
  }

  #watchAnnotations(delegatesAllow: boolean, delegatesDeny: boolean): Annotations {
    const policies = new Annotated('policy.network.gke.io/enable-logging');
    const namespaces = new Annotated('policy.network.gke.io/enable-deny-logging');
    if (delegatesAllow) {
      const path = '/apis/networking.k8s.io/v1/networkpolicies';
      const resource = { name: 'annotated_networkpolicies', path, metadataOnly: true };
      this.#watch(resource, policies, () => policies.size);
    }
    if (delegatesDeny) {
      const resource = { name: 'annotated_namespaces', path: '/api/v1/namespaces', metadataOnly: true };
      this.#watch(resource, namespaces, () => namespaces.size);
    }
    return {
      logsPolicy: ({ namespace, name }) => policies.has(namespace, name),
      logsDenials: (namespace) => namespaces.has(undefined, namespace),
    };
  }

  #watchNetworkSets(): NetworkSets | undefined {
    if (this.#config.network_sets === 'none') return undefined;
    const sets = new NetworkSets();
    for (const name of ['globalnetworksets', 'networksets']) {
      const store = sets.store();
      this.#watch({ name, path: `/apis/${this.#config.network_sets}/${name}` }, store, () => store.size);
    }
    return sets;
  }
}

/** The store; what is heard for it also moves the time until which its addresses may be believed. */
function vouching<T>(store: ObjectStore<T>, book: AddressBook, staleUs: number): ObjectStore<T> {
  book.openUntilUs = Number.NEGATIVE_INFINITY;
  return {
    beginList: () => store.beginList(),
    put: (object, nowUs) => store.put(object, nowUs),
    remove: (object, nowUs) => store.remove(object, nowUs),
    endList: (nowUs) => store.endList(nowUs),
    contact: (nowUs) => {
      store.contact?.(nowUs);
      book.openUntilUs = nowUs + staleUs;
    },
  };
}
