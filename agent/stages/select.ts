import type { Disposition, FlowRecord, Policy } from '../../parsers/record.ts';
import type { SelectConfig } from '../config/schema.ts';
import { compileFilter, type Filter } from './filter.ts';
import type { FilterReason } from './line-class.ts';
import { compileName } from './name-pattern.ts';

/** What the cluster's annotations say about logging, where the agent may read them. */
export interface Annotations {
  /** Whether the policy is annotated `policy.network.gke.io/enable-logging: "true"`. */
  logsPolicy(policy: Policy): boolean;
  /** Whether the namespace is annotated `policy.network.gke.io/enable-deny-logging: "true"`. */
  logsDenials(namespace: string): boolean;
}

/** Vouches for nothing: what `delegate` goes by where the annotations cannot be read. */
const NO_ANNOTATIONS: Annotations = { logsPolicy: () => false, logsDenials: () => false };

type DispositionRule = (record: FlowRecord) => Disposition | undefined;

/**
 * Which records are kept, by GKE's NetworkLogging semantics and by filters.
 *
 * - A record without a verdict gets the disposition of the first rule that fits its prefix or policies; a verdict that
 *   the source gives stands.
 * - `log: false` refuses that disposition. `unknown` has no switch, for a Log rule's lines must not vanish because
 *   denials are not wanted: a rule that gives it a disposition, or a filter, decides.
 * - `allow.delegate` keeps what an annotated policy allowed, and of its policies only the annotated ones;
 *   `deny.delegate` keeps what was denied by a pod (ingress: the destination, egress: the source) in an annotated
 *   namespace. Whatever cannot be told is refused.
 * - Then a record must pass one of `include`, if there are any, and none of `exclude`.
 */
export class Select {
  readonly #config: SelectConfig;
  readonly #annotations: Annotations;
  readonly #rules: readonly DispositionRule[];
  readonly #include: readonly Filter[];
  readonly #exclude: readonly Filter[];

  constructor(config: SelectConfig, annotations: Annotations | undefined) {
    this.#config = config;
    this.#annotations = annotations ?? NO_ANNOTATIONS;
    this.#rules = config.dispositions.map(compileRule);
    this.#include = config.include.map(compileFilter);
    this.#exclude = config.exclude.map(compileFilter);
  }

  /** Why the record is refused; undefined where it is kept. Changes its disposition and policies, as configured. */
  refuse(record: FlowRecord): FilterReason | undefined {
    if (record.disposition === 'unknown') record.disposition = this.#disposition(record);
    if (record.disposition !== 'unknown') {
      const { log, delegate } = this.#config[record.disposition];
      if (!log) return 'disposition';
      if (delegate && !this.#isVouchedFor(record)) return 'delegate';
    }
    if (this.#include.length > 0 && !this.#include.some((filter) => filter(record))) return 'include';
    return this.#exclude.some((filter) => filter(record)) ? 'exclude' : undefined;
  }

  #disposition(record: FlowRecord): Disposition {
    for (const rule of this.#rules) {
      const disposition = rule(record);
      if (disposition !== undefined) return disposition;
    }
    return 'unknown';
  }

  #isVouchedFor(record: FlowRecord): boolean {
    if (record.disposition === 'allow') {
      record.policies = record.policies?.filter((policy) => this.#annotations.logsPolicy(policy)) ?? [];
      return record.policies.length > 0;
    }
    const { direction } = record.connection;
    if (direction === undefined) return false;
    const { namespace } = direction === 'ingress' ? record.dest : record.src;
    return namespace !== undefined && this.#annotations.logsDenials(namespace);
  }
}

function compileRule({ prefix, policy, disposition }: SelectConfig['dispositions'][number]): DispositionRule {
  const isPrefix = prefix === undefined ? undefined : compileName(prefix);
  const [name, namespace] = policy?.split('/').reverse() ?? [];
  const isPolicy = (one: Policy) =>
    one.name === name && (namespace === undefined || one.namespace === namespace);
  return (record) => {
    if (isPrefix !== undefined && !(record.prefix !== undefined && isPrefix(record.prefix))) return undefined;
    if (policy !== undefined && !record.policies?.some(isPolicy)) return undefined;
    return disposition;
  };
}
