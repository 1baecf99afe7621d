import { canonicalIp } from './ip.ts';
import type { UnparsableReason } from './line.ts';

/**
 * Reads the members of one flow log, under the names of its JSON form; those of a text line are all strings.
 * `-`, `null` and the empty text mean that a value was aggregated away or not asked for: undefined here.
 * `reason` is the first thing that was wrong; what is read after it does not matter.
 */
export class FlowLogMembers {
  reason: UnparsableReason | undefined;
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members;
  }

  /** The names that are not in `known`, in order. */
  others(known: ReadonlySet<string>): [name: string, value: unknown][] {
    return Object.entries(this.#members).filter(([name]) => !known.has(name));
  }

  /** A member as it is. */
  raw(name: string): unknown {
    return Object.hasOwn(this.#members, name) ? (this.#members[name] ?? undefined) : undefined;
  }

  text(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || value === '-' || value === '') return undefined;
    if (typeof value === 'string') return value;
    return this.refuse('bad_field');
  }

  /** A whole number from 0 to `max`, as a number or in digits. */
  whole(name: string, max: number, reason: UnparsableReason = 'bad_field'): number | undefined {
    const value = this.raw(name);
    if (value === undefined || value === '-' || value === '') return undefined;
    const isNumber = typeof value === 'number' || (typeof value === 'string' && /^\d{1,16}$/.test(value));
    const number = isNumber ? Number(value) : Number.NaN;
    return Number.isInteger(number) && number >= 0 && number <= max ? number : this.refuse(reason);
  }

  /** One of the keys of `meanings`, as what it means. */
  oneOf<T>(name: string, meanings: ReadonlyMap<string, T>): T | undefined {
    const value = this.text(name);
    return value !== undefined && meanings.has(value) ? meanings.get(value) : this.refuse('bad_field');
  }

  address(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || value === '-' || value === '') return undefined;
    const address = typeof value === 'string' ? canonicalIp(value) : undefined;
    return address ?? this.refuse('bad_address');
  }

  /** `[a=b,c=d]` or `a=b,c=d` of a text line; a list, or an object with a list in `inner`, of a JSON line. */
  list(name: string, inner: string): string[] | undefined {
    const value = this.raw(name);
    if (typeof value === 'string')
      return this.text(name)
        ?.replace(/^\[(.*)\]$/, '$1')
        .split(',');
    const list = Array.isArray(value) ? value : (value as Record<string, unknown> | undefined)?.[inner];
    if (list === undefined || list === null) return undefined;
    const isList = Array.isArray(list) && list.every((entry) => typeof entry === 'string');
    return isList ? list : this.refuse('bad_field');
  }

  refuse(reason: UnparsableReason): undefined {
    this.reason ??= reason;
  }
}
