import { createHash } from 'node:crypto';
import { canonicalIp } from '../../parsers/ip.ts';
import type { Labels, PodHolder, Workload } from '../stages/holder.ts';
import type { AddressBook, Tenant } from './address-book.ts';
import { Intern } from './intern.ts';
import { Listing, WATCH_LAG_US } from './listing.ts';
import type { ObjectStore } from './object-store.ts';
import { type PodFacts, type PodObject, podFacts } from './pod-facts.ts';

const INTERFACE_HASH_DIGITS = 11;
/** Namespaces, workloads and sets of labels that are shared by pods. */
const INTERNED_MAX = 50_000;

export interface PodsOptions {
  /** This node: its pods are local. */
  readonly node: string;
  /** Ended pods are remembered for so long. */
  readonly keepUs: number;
  /** Pods beyond are not known, and have no names. */
  readonly podsMax: number;
  /** Labels that records carry. */
  readonly labels: readonly string[];
  /** Whether all labels of local pods are kept, for policies that select them. */
  readonly keepsAllLabels: boolean;
  /** Told of every workload that appears. */
  readonly onWorkload?:
    | ((namespace: string, workload: Workload, apiVersion: string | undefined) => void)
    | undefined;
}

/** A pod, from when it was first seen until it is forgotten. */
export interface Pod extends Tenant {
  readonly uid: string;
  readonly holder: PodHolder;
  /** All its labels, where they are kept. */
  allLabels: Labels | undefined;
  isOver: boolean;
  listing: number;
}

/**
 * The pods, and when each had its addresses, in an `AddressBook`.
 *
 * Promises: a claim covers only what the API proves (`podFacts`) or what was seen: it may begin late and end
 * early, never the reverse, as long as the watch tells what happened within `WATCH_LAG_US`.
 * - A pod that was asked to end is claimed for up to that moment; how long it really lasted is added once its status
 *   proves it.
 * - A pod that a new list does not have ended at some time after the old watch was last heard of.
 * - A pod on the host's network claims nothing: the address is its node's.
 * - A local pod is also known by the name of its interface, which is made of its own name and nobody else's.
 *
 * Pure: the time of hearing is an argument.
 */
export class Pods implements ObjectStore<PodObject> {
  readonly #options: PodsOptions;
  readonly #book: AddressBook;
  readonly #pods = new Map<string, Pod>();
  /** Local pods by the hash in their interface's name; several where a name was used again. */
  readonly #byInterface = new Map<string, readonly Pod[]>();
  /** Local pods that are gone, in that order: they are remembered for as long as their addresses. */
  #gone: { readonly pod: Pod; readonly forgetUs: number }[] = [];
  readonly #namespaces = new Intern<string>(INTERNED_MAX);
  readonly #workloads = new Intern<Workload>(INTERNED_MAX);
  readonly #labels = new Intern<Labels>(INTERNED_MAX);
  readonly #listing = new Listing();
  #refused = 0;
  /** By how much this node's clock may differ from the API server's. */
  skewUs = 0;

  constructor(options: PodsOptions, book: AddressBook) {
    this.#options = options;
    this.#book = book;
  }

  /** Pods that there are. */
  get size(): number {
    return this.#pods.size;
  }

  /** How often a pod was beyond the bound. */
  get refused(): number {
    return this.#refused;
  }

  /** The local pods that had the interface and are not forgotten, the oldest first. */
  byInterface(name: string): readonly Pod[] | undefined {
    return this.#byInterface.get(name.slice(-INTERFACE_HASH_DIGITS));
  }

  /** The local pod of that name. */
  local(namespace: string, name: string): Pod | undefined {
    return this.#byInterface.get(interfaceHash(namespace, name))?.at(-1);
  }

  contact(nowUs: number): void {
    this.#listing.contact(nowUs);
  }

  beginList(): void {
    this.#listing.begin();
  }

  put(object: PodObject, nowUs: number): void {
    const pod = this.#pod(object);
    if (pod === undefined) return;
    pod.listing = this.#listing.number;
    this.#describe(pod, object);
    const facts = podFacts(object, canonicalIp);
    if (facts.isOver) this.#over(pod, facts, nowUs);
    else this.#held(pod, facts, nowUs);
    pod.isOver = facts.isOver;
  }

  remove(object: PodObject, nowUs: number): void {
    const pod = this.#pods.get(object.metadata.uid ?? '');
    if (pod === undefined) return;
    const facts = podFacts(object, canonicalIp);
    // One that nobody asked to end was removed by force, and ran until then.
    this.#end(pod, facts, this.#asked(pod, facts, nowUs) ?? this.#listing.lastUs(nowUs), nowUs);
    this.#leave(pod, nowUs);
  }

  endList(nowUs: number): void {
    for (const pod of this.#pods.values()) {
      if (pod.listing === this.#listing.number) continue;
      this.#book.release(pod, this.#listing.lastUs(nowUs), nowUs);
      this.#leave(pod, nowUs);
    }
    this.#listing.end();
  }

  /** Forgets what is due. */
  expire(nowUs: number): void {
    const due = this.#gone.findIndex(({ forgetUs }) => forgetUs > nowUs);
    const forgotten = this.#gone.splice(0, due < 0 ? this.#gone.length : due);
    for (const { pod } of forgotten) {
      const hash = interfaceHash(pod.holder.namespace, pod.holder.name);
      const left = (this.#byInterface.get(hash) ?? []).filter((other) => other !== pod);
      if (left.length > 0) this.#byInterface.set(hash, left);
      else this.#byInterface.delete(hash);
    }
  }

  #pod({ metadata, spec }: PodObject): Pod | undefined {
    const { uid, name, namespace } = metadata;
    if (uid === undefined || name === undefined || namespace === undefined) return undefined;
    const known = this.#pods.get(uid);
    if (known !== undefined) return known;
    // Without a node it has no address.
    if (spec?.nodeName === undefined) return undefined;
    if (this.#pods.size >= this.#options.podsMax) {
      this.#refused += 1;
      return undefined;
    }
    const holder: PodHolder = {
      kind: 'pod',
      name,
      namespace: this.#namespaces.get(namespace, () => namespace),
      workload: undefined,
      labels: undefined,
    };
    const pod: Pod = {
      uid,
      holder,
      isLocal: spec.nodeName === this.#options.node,
      allLabels: undefined,
      claims: [],
      hasHeld: false,
      isOver: false,
      listing: 0,
    };
    this.#pods.set(uid, pod);
    if (pod.isLocal && !spec.hostNetwork) {
      const hash = interfaceHash(namespace, name);
      this.#byInterface.set(hash, [...(this.#byInterface.get(hash) ?? []), pod]);
    }
    return pod;
  }

  #describe(pod: Pod, { metadata }: PodObject): void {
    const { holder } = pod;
    const { namespace } = holder;
    const owner = metadata.ownerReferences?.find(({ controller }) => controller);
    // A static pod is controlled by its node, which is no workload.
    if (owner !== undefined && owner.kind !== 'Node') {
      const { apiVersion, kind, name } = owner;
      holder.workload = this.#workloads.get(`${namespace} ${apiVersion}/${kind} ${name}`, () => {
        const workload: Workload = { kind, name };
        this.#options.onWorkload?.(namespace, workload, apiVersion);
        return workload;
      });
    }
    const labels = metadata.labels ?? {};
    const chosen = this.#options.labels.filter((key) => labels[key] !== undefined);
    const kept = Object.fromEntries(chosen.map((key) => [key, labels[key]!]));
    holder.labels = chosen.length === 0 ? undefined : this.#labels.get(JSON.stringify(kept), () => kept);
    if (this.#options.keepsAllLabels && pod.isLocal) pod.allLabels = labels;
  }

  /** The pod is told to have its addresses. */
  #held(pod: Pod, facts: PodFacts, nowUs: number): void {
    const lastUs = this.#listing.lastUs(nowUs);
    // A sandbox made anew, perhaps with the same address: the pod gave it back in between.
    if (pod.isOver) this.#book.hold(pod, [], undefined, lastUs, nowUs);
    this.#book.hold(pod, facts.addresses, facts.heldFromUs, lastUs, nowUs);
    const askedUs = this.#asked(pod, facts, nowUs);
    if (askedUs !== undefined) this.#book.prove(pod, askedUs, nowUs);
  }

  /** The pod is told to be at its end. */
  #over(pod: Pod, facts: PodFacts, nowUs: number): void {
    const { addresses, heldFromUs, heldUntilUs } = facts;
    // Of one that is first seen now, only what it proves itself.
    if (!pod.hasHeld && heldFromUs !== undefined && heldUntilUs !== undefined) {
      this.#book.hold(pod, addresses, heldFromUs, nowUs, nowUs);
    }
    this.#end(pod, facts, this.#listing.lastUs(nowUs), nowUs);
  }

  #end(pod: Pod, { heldUntilUs }: PodFacts, lastUs: number, nowUs: number): void {
    if (heldUntilUs !== undefined) this.#book.prove(pod, heldUntilUs, nowUs);
    else this.#book.release(pod, lastUs, nowUs);
  }

  /** When the pod was asked to end, at the earliest, by the clock that its claims go by. */
  #asked({ isLocal }: Pod, { askedToEndUs }: PodFacts, nowUs: number): number | undefined {
    if (askedToEndUs === undefined) return undefined;
    return isLocal ? Math.min(askedToEndUs - this.skewUs, nowUs - WATCH_LAG_US) : askedToEndUs;
  }

  #leave(pod: Pod, nowUs: number): void {
    this.#pods.delete(pod.uid);
    if (pod.isLocal) this.#gone.push({ pod, forgetUs: nowUs + this.#options.keepUs });
  }
}

/** What a Calico interface's name has behind its prefix; other plug-ins took the same rule for Calico's sake. */
export function interfaceHash(namespace: string, name: string): string {
  const hash = createHash('sha1').update(`${namespace}.${name}`).digest('hex');
  return hash.slice(0, INTERFACE_HASH_DIGITS);
}
