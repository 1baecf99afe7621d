import type { Policy } from '../../parsers/record.ts';
import type { Labels } from '../stages/holder.ts';
import type { ObjectStore } from './object-store.ts';
import type { ObjectMetadata } from './pod-facts.ts';

/** Policies named on one record. */
const CANDIDATES_MAX = 20;
/** Policies that are known; of further ones nothing is said. */
const POLICIES_MAX = 50_000;

interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** What of a NetworkPolicy object is looked at. */
export interface NetworkPolicyObject {
  readonly metadata: ObjectMetadata;
  readonly spec?: {
    readonly podSelector?: LabelSelector;
    readonly policyTypes?: readonly string[];
    readonly egress?: readonly unknown[];
  };
}

interface Known {
  readonly policy: Policy;
  readonly namespace: string;
  readonly selects: (labels: Labels) => boolean;
  readonly directions: ReadonlySet<string>;
  listing: number;
}

/** The cluster's NetworkPolicies, and which of them select a pod. They are taken as they are now. */
export class Policies implements ObjectStore<NetworkPolicyObject> {
  readonly #known = new Map<string, Known>();
  readonly #byNamespace = new Map<string, Set<Known>>();
  #listing = 0;

  get size(): number {
    return this.#known.size;
  }

  /** The policies that select a pod in a direction, by name. */
  candidates(namespace: string, labels: Labels, direction: string): Policy[] {
    const found = [...(this.#byNamespace.get(namespace) ?? [])].filter(
      ({ directions, selects }) => directions.has(direction) && selects(labels),
    );
    const policies = found.map(({ policy }) => policy);
    return policies.sort((one, other) => (one.name < other.name ? -1 : 1)).slice(0, CANDIDATES_MAX);
  }

  beginList(): void {
    this.#listing += 1;
  }

  put({ metadata, spec }: NetworkPolicyObject): void {
    const { uid = '', name = '', namespace = '' } = metadata;
    this.#forget(uid);
    if (this.#known.size >= POLICIES_MAX) return;
    const known: Known = {
      policy: { name, namespace, kind: 'NetworkPolicy' },
      namespace,
      selects: compileSelector(spec?.podSelector ?? {}),
      directions: new Set(
        // Defaults as the API documents them; a server fills them in.
        (spec?.policyTypes ?? ['Ingress', ...(spec?.egress ? ['Egress'] : [])]).map((type) =>
          type.toLowerCase(),
        ),
      ),
      listing: this.#listing,
    };
    this.#known.set(uid, known);
    const others = this.#byNamespace.get(namespace);
    if (others === undefined) this.#byNamespace.set(namespace, new Set([known]));
    else others.add(known);
  }

  remove({ metadata }: NetworkPolicyObject): void {
    this.#forget(metadata.uid ?? '');
  }

  endList(): void {
    for (const [uid, { listing }] of this.#known) if (listing !== this.#listing) this.#forget(uid);
  }

  #forget(uid: string): void {
    const known = this.#known.get(uid);
    if (known === undefined) return;
    this.#known.delete(uid);
    const others = this.#byNamespace.get(known.namespace)!;
    others.delete(known);
    if (others.size === 0) this.#byNamespace.delete(known.namespace);
  }
}

function compileSelector({
  matchLabels = {},
  matchExpressions = [],
}: LabelSelector): (labels: Labels) => boolean {
  const equal = Object.entries(matchLabels);
  return (labels) =>
    equal.every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    });
}
