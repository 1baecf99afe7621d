import type { Holder } from '../stages/holder.ts';
import type { AddressBook, Tenant } from './address-book.ts';
import { Listing } from './listing.ts';
import type { ObjectStore } from './object-store.ts';
import { type ObjectMetadata, secondsEndUs } from './pod-facts.ts';

/** What an object says about a holder of addresses. */
export interface Held {
  readonly holder: Holder;
  /** In canonical form. */
  readonly addresses: readonly string[];
}

interface Known extends Tenant {
  listing: number;
}

/**
 * Nodes, or services: holders that have their addresses from when their object was made until it is removed, or no
 * longer says so. At the bound new ones are not known, and have no names.
 */
export class Holders<T extends { readonly metadata: ObjectMetadata }> implements ObjectStore<T> {
  readonly #read: (object: T) => Held;
  readonly #book: AddressBook;
  readonly #max: number;
  readonly #known = new Map<string, Known>();
  readonly #listing = new Listing();
  #refused = 0;

  constructor(read: (object: T) => Held, book: AddressBook, max: number) {
    this.#read = read;
    this.#book = book;
    this.#max = max;
  }

  get size(): number {
    return this.#known.size;
  }

  /** How often one was beyond the bound. */
  get refused(): number {
    return this.#refused;
  }

  contact(nowUs: number): void {
    this.#listing.contact(nowUs);
  }

  beginList(): void {
    this.#listing.begin();
  }

  put(object: T, nowUs: number): void {
    const { uid = '', creationTimestamp } = object.metadata;
    const { holder, addresses } = this.#read(object);
    let known = this.#known.get(uid);
    if (known === undefined) {
      if (this.#known.size >= this.#max) {
        this.#refused += 1;
        return;
      }
      known = { holder, isLocal: false, claims: [], hasHeld: false, listing: 0 };
      this.#known.set(uid, known);
    }
    known.listing = this.#listing.number;
    const sinceUs = secondsEndUs(creationTimestamp);
    this.#book.hold(known, addresses, sinceUs, this.#listing.lastUs(nowUs), nowUs);
  }

  remove({ metadata }: T, nowUs: number): void {
    const known = this.#known.get(metadata.uid ?? '');
    if (known === undefined) return;
    this.#book.release(known, this.#listing.lastUs(nowUs), nowUs);
    this.#known.delete(metadata.uid ?? '');
  }

  endList(nowUs: number): void {
    for (const [uid, known] of this.#known) {
      if (known.listing === this.#listing.number) continue;
      this.#book.release(known, this.#listing.lastUs(nowUs), nowUs);
      this.#known.delete(uid);
    }
    this.#listing.end();
  }
}
