import type { Found } from '../stages/holder.ts';
import type { AddressBook, Unnamed } from './address-book.ts';
import { ClockDoubt } from './clock-doubt.ts';
import type { Pod, Pods } from './pods.ts';

/** Other nodes' clocks differ from this one's by at least so much. */
const MARGIN_US_MIN = 1_000_000;

/**
 * Answers who an address in a line was, at the line's time.
 *
 * A local pod's interface tells without looking at times, for its name is made of the pod's; yet only where the
 * address is the pod's own, or the pod's addresses are not known yet: a pod may forward what is not its own. All
 * else goes by address and time. Times that the clock showed twice are taken for both; times of other nodes'
 * clocks with a margin.
 *
 * Pure: time comes with `observe`.
 */
export class Resolver {
  readonly #pods: Pods;
  readonly #book: AddressBook;
  readonly #doubt = new ClockDoubt();
  readonly #keepUs: number;
  #skewUs = 0;
  #skewSeenUs = Number.NEGATIVE_INFINITY;

  /** @param keepUs for how long a skew is believed after it was seen */
  constructor(pods: Pods, book: AddressBook, keepUs: number) {
    this.#pods = pods;
    this.#book = book;
    this.#keepUs = keepUs;
  }

  /** By how much this node's clock was seen to differ from the API server's, at most. */
  get skewUs(): number {
    return this.#skewUs;
  }

  /** To be called before lines are read. */
  observe(wallUs: number, monotonicUs: number): void {
    this.#doubt.observe(wallUs, monotonicUs);
  }

  /** The API server has said what time it is. @param differenceUs its time less this node's */
  observeSkew(differenceUs: number, nowUs: number): void {
    const skewUs = Math.abs(differenceUs);
    if (skewUs < this.#skewUs && nowUs - this.#skewSeenUs < this.#keepUs) return;
    this.#skewUs = skewUs;
    this.#skewSeenUs = nowUs;
    this.#pods.skewUs = skewUs;
  }

  find(address: string, interfaceName: string | undefined, timeUs: number): Found | Unnamed {
    const pod = interfaceName === undefined ? undefined : this.#byInterface(interfaceName, address);
    if (pod !== undefined) return { holder: pod.holder, by: 'interface', claim: undefined };
    let [lowUs, highUs] = [timeUs, timeUs];
    if (this.#doubt.isAny) ({ lowUs, highUs } = this.#doubt.spread(timeUs));
    const claim = this.#book.find(address, lowUs, highUs, MARGIN_US_MIN + this.#skewUs);
    return typeof claim === 'string' ? claim : { holder: claim.holder, by: 'ip', claim };
  }

  #byInterface(name: string, address: string): Pod | undefined {
    const pods = this.#pods.byInterface(name);
    if (pods === undefined) return undefined;
    const newest = pods.at(-1)!;
    const has = (pod: Pod) => pod.claims.some((claim) => claim.address === address);
    return pods.findLast(has) ?? (newest.claims.length === 0 ? newest : undefined);
  }
}
