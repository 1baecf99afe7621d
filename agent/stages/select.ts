import type { Disposition, FlowRecord, Policy } from '../../parsers/record.ts';
import type { SelectConfig } from '../config/schema.ts';
import { compileFilter, type Filter } from './filter.ts';
import type { FilterReason } from './line-class.ts';

/** What the cluster's annotations say about logging, where the agent may read them. */
export interface Annotations {
  /** Whether the policy is annotated `policy.network.gke.io/enable-logging: "true"`. */
  logsPolicy(policy: Policy): boolean;
  /** Whether the namespace is annotated `policy.network.gke.io/enable-deny-logging: "true"`. */
  logsDenials(namespace: string): boolean;
}

/** Vouches for nothing: what `delegate` goes by where the annotations cannot be read. */
const NO_ANNOTATIONS: Annotations = { logsPolicy: () => false, logsDenials: () => false };

/**
 * Which records are kept, by GKE's NetworkLogging semantics and by filters.
 *
 * - `log: false` refuses that disposition. `unknown` has no switch, for a Log rule's lines must not vanish because
 *   denials are not wanted: a filter decides.
 * - `allow.delegate` keeps what an annotated policy allowed, and of its policies only the annotated ones;
 *   `deny.delegate` keeps what was denied by a pod (ingress: the destination, egress: the source) in an annotated
 *   namespace. Whatever cannot be told is refused.
 * - Then a record must pass one of `include`, if there are any, and none of `exclude`.
 */
export class Select {
  readonly #config: SelectConfig;
  readonly #annotations: Annotations;
  readonly #include: readonly Filter[];
  readonly #exclude: readonly Filter[];

  constructor(config: SelectConfig, annotations: Annotations | undefined) {
    this.#config = config;
    this.#annotations = annotations ?? NO_ANNOTATIONS;
    this.#include = config.include.map(compileFilter);
    this.#exclude = config.exclude.map(compileFilter);
  }

  /** Whether more than its disposition decides about a record. */
  get looksAtRecords(): boolean {
    const { allow, deny } = this.#config;
    return allow.delegate || deny.delegate || this.#include.length > 0 || this.#exclude.length > 0;
  }

  /** Why records of this disposition are refused; undefined where they are not. */
  refuseDisposition(disposition: Disposition): FilterReason | undefined {
    return disposition === 'unknown' || this.#config[disposition].log ? undefined : 'disposition';
  }

  /** Why the record is refused; undefined where it is kept. Changes its policies, as configured. */
  refuse(record: FlowRecord): FilterReason | undefined {
    const { disposition } = record;
    const reason = this.refuseDisposition(disposition);
    if (reason !== undefined) return reason;
    if (disposition !== 'unknown' && this.#config[disposition].delegate && !this.#isVouchedFor(record)) {
      return 'delegate';
    }
    if (this.#include.length > 0 && !this.#include.some((filter) => filter(record))) return 'include';
    return this.#exclude.some((filter) => filter(record)) ? 'exclude' : undefined;
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
