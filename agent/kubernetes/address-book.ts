import { type Holder, isSameHolder } from '../stages/holder.ts';

/** A time during which somebody surely had an address. Both ends belong to it. */
export interface Claim {
  readonly holder: Holder;
  readonly address: string;
  /** Its times are of this node's own clock, as those of lines are. */
  readonly isLocal: boolean;
  readonly fromUs: number;
  /** `Infinity` while the holder has the address. */
  untilUs: number;
}

/** Somebody and the addresses that he was last told to have. */
export interface Tenant {
  readonly holder: Holder;
  readonly isLocal: boolean;
  claims: readonly Claim[];
  /** He has or had an address. */
  hasHeld: boolean;
}

/** Why an address has no name. */
export type Unnamed =
  /** Nobody of whom the cache knows ever had it. */
  | 'unknown'
  /** Known, but not as anybody's at that time. */
  | 'other_time'
  /** Two holders claim it. */
  | 'ambiguous'
  /** Somebody's, as far as was known when the API server was last heard of, and that is too long ago. */
  | 'stale';

/**
 * Who had which address, and when.
 *
 * Promises: an answer is somebody who surely had the address during all of the asked time, and the only one who
 * claims to. So while claims are sound the answer is never wrong, whatever else is not known. A claim begins when
 * its holder is known to have the address, and ends when he was last known to; an end may be moved later, as proofs
 * come in.
 * Refuses: to choose between two; to take an open claim as proof for times after `openUntilUs`; to remember more
 * than `endedMax` claims that have ended, or any for longer than it was told: of these it forgets, the oldest first,
 * and then says less, not something else.
 *
 * Pure: time is an argument. Asking costs one look into a map, however many addresses there are.
 */
export class AddressBook {
  readonly #keepUs: number;
  readonly #endedMax: number;
  /** One claim, or, for the few addresses that had several holders, a list. */
  readonly #claims = new Map<string, Claim | readonly Claim[]>();
  /** Ended claims in the order in which their ends were told, from `#head` on. */
  #ended: { readonly claim: Claim; readonly forgetUs: number }[] = [];
  #head = 0;
  /** The latest time for which an open claim vouches. */
  openUntilUs = Number.POSITIVE_INFINITY;

  /**
   * @param keepUs how long to remember a claim after its end was told
   * @param endedMax most claims to remember after their end
   */
  constructor(keepUs: number, endedMax: number) {
    this.#keepUs = keepUs;
    this.#endedMax = endedMax;
  }

  /** Addresses that are known. */
  get size(): number {
    return this.#claims.size;
  }

  /** Claims that have ended and are remembered. */
  get ended(): number {
    return this.#ended.length - this.#head;
  }

  /**
   * The tenant is told to have these addresses, and no others.
   * @param sinceUs since when at least, where that is told; of use only for his first addresses: later, it may be
   *   about those
   * @param lastUs until when at least he had what he has no longer
   */
  hold(
    tenant: Tenant,
    addresses: readonly string[],
    sinceUs: number | undefined,
    lastUs: number,
    nowUs: number,
  ): void {
    const { claims } = tenant;
    const lost = claims.filter(({ address }) => !addresses.includes(address));
    this.#endAll(lost, lastUs, nowUs);
    const fromUs = tenant.hasHeld ? nowUs : Math.min(sinceUs ?? nowUs, nowUs);
    const added = addresses.filter((address) => !claims.some((claim) => claim.address === address));
    if (lost.length > 0 || added.length > 0) {
      const kept = claims.filter((claim) => !lost.includes(claim));
      tenant.claims = [...kept, ...added.map((address) => this.#begin(tenant, address, fromUs))];
    }
    if (addresses.length > 0) tenant.hasHeld = true;
  }

  /** The tenant may not have any more what he had at least until then. */
  release({ claims }: Tenant, untilUs: number, nowUs: number): void {
    this.#endAll(claims, untilUs, nowUs);
  }

  /** It is proved that the tenant, who is at his end, had until then what he had last; the latest proof counts. */
  prove({ claims }: Tenant, untilUs: number, nowUs: number): void {
    this.#endAll(claims, untilUs, nowUs);
    for (const claim of claims) claim.untilUs = Math.max(claim.untilUs, Math.min(untilUs, nowUs));
  }

  /** Forgets what is due. */
  expire(nowUs: number): void {
    while (this.ended > 0 && this.#ended[this.#head]!.forgetUs <= nowUs) this.#forgetOldest();
  }

  /**
   * Who had the address from `lowUs` to `highUs`.
   * @param marginUs how much wider to ask of claims whose times are of other clocks
   */
  find(address: string, lowUs: number, highUs: number, marginUs: number): Claim | Unnamed {
    const known = this.#claims.get(address);
    if (known === undefined) return 'unknown';
    if (!isList(known)) return this.#judge(known, lowUs, highUs, marginUs);
    let found: Claim | Unnamed = 'other_time';
    for (const claim of known) {
      const one = this.#judge(claim, lowUs, highUs, marginUs);
      if (typeof one === 'string') {
        if (one === 'stale' && found === 'other_time') found = one;
      } else if (typeof found === 'string') found = one;
      else if (!isSameHolder(found.holder, one.holder)) return 'ambiguous';
    }
    return found;
  }

  #judge(claim: Claim, lowUs: number, highUs: number, marginUs: number): Claim | 'other_time' | 'stale' {
    const margin = claim.isLocal ? 0 : marginUs;
    if (lowUs - margin < claim.fromUs || highUs + margin > claim.untilUs) return 'other_time';
    return claim.untilUs === Number.POSITIVE_INFINITY && highUs > this.openUntilUs ? 'stale' : claim;
  }

  #begin({ holder, isLocal }: Tenant, address: string, fromUs: number): Claim {
    const claim: Claim = { holder, address, isLocal, fromUs, untilUs: Number.POSITIVE_INFINITY };
    const known = this.#claims.get(address);
    if (known === undefined) this.#claims.set(address, claim);
    else this.#claims.set(address, isList(known) ? [...known, claim] : [known, claim]);
    return claim;
  }

  #endAll(claims: readonly Claim[], untilUs: number, nowUs: number): void {
    for (const claim of claims) {
      if (claim.untilUs !== Number.POSITIVE_INFINITY) continue;
      claim.untilUs = Math.min(untilUs, nowUs);
      this.#ended.push({ claim, forgetUs: nowUs + this.#keepUs });
      if (this.ended > this.#endedMax) this.#forgetOldest();
    }
  }

  #forgetOldest(): void {
    const { claim } = this.#ended[this.#head]!;
    this.#head += 1;
    if (this.#head * 2 > this.#ended.length) {
      this.#ended = this.#ended.slice(this.#head);
      this.#head = 0;
    }
    const known = this.#claims.get(claim.address);
    if (known === claim) this.#claims.delete(claim.address);
    if (known === undefined || !isList(known)) return;
    const left = known.filter((other) => other !== claim);
    this.#claims.set(claim.address, left.length === 1 ? left[0]! : left);
  }
}

function isList(known: Claim | readonly Claim[]): known is readonly Claim[] {
  return Array.isArray(known);
}
