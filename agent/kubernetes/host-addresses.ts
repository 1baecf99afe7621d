import { canonicalIp } from '../../parsers/ip.ts';
import type { AddressBook, Tenant } from './address-book.ts';
import { WATCH_LAG_US } from './listing.ts';
import type { ObjectStore } from './object-store.ts';
import { hostAddresses, type PodObject, secondsEndUs } from './pod-facts.ts';
import type { Pods } from './pods.ts';

/**
 * This node's pods, and with them this node: a pod's status has its host's addresses, so that nothing else need be
 * watched to know them.
 */
export class HostAddresses implements ObjectStore<PodObject> {
  readonly #node: string;
  readonly #pods: Pods;
  readonly #book: AddressBook;
  readonly #host: Tenant;

  constructor(node: string, pods: Pods, book: AddressBook) {
    this.#node = node;
    this.#pods = pods;
    this.#book = book;
    this.#host = { holder: { kind: 'node', name: node }, isLocal: true, claims: [], hasHeld: false };
  }

  beginList(): void {
    this.#pods.beginList();
  }

  put(object: PodObject, nowUs: number): void {
    this.#pods.put(object, nowUs);
    const told = hostAddresses(object).flatMap((address) => canonicalIp(address) ?? []);
    if (object.spec?.nodeName !== this.#node || told.length === 0) return;
    const sinceUs = secondsEndUs(object.status?.startTime);
    this.#book.hold(this.#host, told, sinceUs, nowUs - WATCH_LAG_US, nowUs);
  }

  remove(object: PodObject, nowUs: number): void {
    this.#pods.remove(object, nowUs);
  }

  endList(nowUs: number): void {
    this.#pods.endList(nowUs);
  }

  contact(nowUs: number): void {
    this.#pods.contact(nowUs);
  }
}
