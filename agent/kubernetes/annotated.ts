import type { ObjectStore } from './object-store.ts';
import type { ObjectMetadata } from './pod-facts.ts';

/** The names, as NAMESPACE/NAME or NAME, of the objects that carry an annotation with the value `true`. */
export class Annotated implements ObjectStore<{ readonly metadata: ObjectMetadata }> {
  readonly #annotation: string;
  readonly #names = new Map<string, number>();
  #listing = 0;

  constructor(annotation: string) {
    this.#annotation = annotation;
  }

  get size(): number {
    return this.#names.size;
  }

  has(namespace: string | undefined, name: string): boolean {
    return this.#names.has(namespace === undefined ? name : `${namespace}/${name}`);
  }

  beginList(): void {
    this.#listing += 1;
  }

  put({ metadata }: { readonly metadata: ObjectMetadata }): void {
    if (metadata.annotations?.[this.#annotation] === 'true') this.#names.set(nameOf(metadata), this.#listing);
    else this.#names.delete(nameOf(metadata));
  }

  remove({ metadata }: { readonly metadata: ObjectMetadata }): void {
    this.#names.delete(nameOf(metadata));
  }

  endList(): void {
    for (const [name, listing] of this.#names) if (listing !== this.#listing) this.#names.delete(name);
  }
}

function nameOf({ namespace, name = '' }: ObjectMetadata): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
