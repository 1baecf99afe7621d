import { AddressBook } from '../../agent/kubernetes/address-book.ts';
import { WATCH_LAG_US } from '../../agent/kubernetes/listing.ts';
import type { PodObject } from '../../agent/kubernetes/pod-facts.ts';
import { Pods } from '../../agent/kubernetes/pods.ts';
import { Resolver } from '../../agent/kubernetes/resolver.ts';
import { type PodIdea, podObject } from './kubernetes-objects.ts';
import type { Random } from './random.ts';

/** All in ms of true time, which no clock shows. */
const TICK = 50;
const LAG = WATCH_LAG_US / 1000 - 2 * TICK;
const KEEP_US = 600e6;
/** The API server's clock is right. */
const API_OFFSET = 1_000_000_000;

interface Life {
  readonly name: string;
  readonly address: string;
  readonly from: number;
  readonly until: number;
}

interface Message {
  readonly at: number;
  readonly kind: 'put' | 'remove';
  readonly object: PodObject;
}

/** What will be told, and when; what it says is only known then, for clocks are set in between. */
type Plan = Pick<Message, 'at' | 'kind'> & { readonly idea: () => PodIdea };

interface Line {
  /** When it was logged. */
  readonly at: number;
  readonly address: string;
  readonly stampUs: number;
  readonly readAt: number;
}

/** What a line was answered with, beside the truth. */
export interface Answered {
  readonly line: Line;
  readonly named: string | undefined;
  readonly truth: string | undefined;
}

/**
 * A node whose pods come and go on few addresses, an API server that tells of it with a lag, a wall clock that is set
 * back and forth, and a cache that hears of it all; it knows who had each address when. What it takes for given is
 * what the cache does: that the end of a pod is told within the lag, and before its address is another's.
 */
export class KubernetesModel {
  readonly answers: Answered[] = [];
  readonly #random: Random;
  readonly #isClockSet: boolean;
  readonly #addresses: readonly string[];
  readonly #lives: Life[] = [];
  readonly #objects = new Map<string, PodObject>();
  /** What will be true of the API server's objects, and is then told. */
  #plans: Plan[] = [];
  #told: Message[] = [];
  #lines: Line[] = [];
  /** What is free again, and from when on. */
  readonly #freeAt = new Map<string, number>();
  #now = 0;
  /** What the wall clock is ahead of true time, from when on. */
  readonly #offsets = [{ from: 0, offset: API_OFFSET }];
  #uids = 0;
  #isConnected = true;
  #pods!: Pods;
  #book!: AddressBook;
  #resolver!: Resolver;

  /** @param isClockSet whether the clock is set now and then; if not, the cache is started again now and then */
  constructor(random: Random, addresses: number, isClockSet: boolean) {
    this.#isClockSet = isClockSet;
    this.#random = random;
    this.#addresses = Array.from({ length: addresses }, (_, i) => `10.0.0.${i + 1}`);
    this.#restart();
  }

  run(seconds: number): void {
    for (const end = this.#now + seconds * 1000; this.#now < end; this.#now += TICK) {
      this.#chance(0.05, () => this.#newPod());
      this.#chance(0.002, () => this.#isClockSet && this.#setClock());
      this.#chance(0.002, () => this.#disconnect());
      this.#chance(0.05, () => this.#reconnect());
      this.#chance(0.0005, () => !this.#isClockSet && this.#restart());
      this.#resolver.observe(this.#wallUs(), this.#now * 1000);
      this.#tell();
      this.#chance(0.5, () => this.#log());
      this.#read();
      this.#book.expire(this.#wallUs());
      this.#pods.expire(this.#wallUs());
    }
  }

  #wallUs(at = this.#now): number {
    return (at + this.#offsets.findLast(({ from }) => from <= at)!.offset) * 1000;
  }

  #chance(share: number, happens: () => void): void {
    if (this.#random.chance(share)) happens();
  }

  #between(low: number, high: number): number {
    return low + this.#random.below(high - low);
  }

  #seconds(at: number): number {
    return Math.floor(this.#wallUs(at) / 1e6);
  }

  /** Plans a pod's life: its address, what its objects will say, and when that will be told. */
  #newPod(): void {
    const free = this.#addresses.filter((one) => (this.#freeAt.get(one) ?? 0) <= this.#now);
    if (free.length === 0) return;
    const address = this.#random.pick(free);
    const uid = `uid-${++this.#uids}`;
    const from = this.#now + this.#between(0, 500);
    const started = from + this.#between(50, 1500);
    const finished = started + this.#between(200, 30_000);
    const isOld = this.#random.chance(0.3);
    const base: PodIdea = { name: uid, uid, node: 'here', ips: [address] };
    const running = () => ({
      ...base,
      ...(isOld ? { started: this.#seconds(started) } : { ready: this.#seconds(from) }),
    });
    const over = (phase: string) => ({
      ...base,
      started: this.#seconds(started),
      finished: this.#seconds(finished),
      phase,
    });
    const startTold = started + this.#between(0, LAG);
    const lag = this.#between(0, LAG);
    this.#plan(startTold, 'put', running);

    let until = finished + this.#between(50, 1000);
    let endTold = Math.max(startTold, finished + lag);
    const goneTold = endTold + this.#between(0, 5000);
    switch (this.#random.pick(['completes', 'asked', 'forced', 'evicted'])) {
      case 'completes':
        this.#plan(endTold, 'put', () => over('Succeeded'));
        this.#plan(goneTold, 'remove', () => over('Succeeded'));
        break;
      case 'asked': {
        const askedAt = Math.max(started, finished - this.#between(0, 5000));
        const asked = { asked: Math.floor((askedAt + API_OFFSET) / 1000), graceSeconds: 5 };
        endTold = Math.max(startTold, askedAt + lag);
        this.#plan(endTold, 'put', () => ({ ...running(), ...asked }));
        this.#plan(Math.max(endTold, until + lag), 'remove', () => ({ ...over('Failed'), ...asked }));
        break;
      }
      case 'forced':
        // It runs on for longer than its object is there.
        until = finished + this.#between(50, 3000);
        this.#plan(endTold, 'remove', running);
        break;
      case 'evicted':
        // With a status that proves nothing.
        this.#plan(endTold, 'put', () => ({ ...base, phase: 'Failed' }));
        this.#plan(goneTold, 'remove', () => ({ ...base, phase: 'Failed' }));
        break;
    }
    this.#lives.push({ name: uid, address, from, until });
    this.#freeAt.set(address, Math.max(until, endTold) + this.#between(100, 6000));
  }

  #plan(at: number, kind: Message['kind'], idea: () => PodIdea): void {
    this.#plans.push({ at, kind, idea });
  }

  /** The API server changes its objects, and tells who listens. */
  #tell(): void {
    const due = this.#plans.filter(({ at }) => at <= this.#now).sort((one, other) => one.at - other.at);
    this.#plans = this.#plans.filter(({ at }) => at > this.#now);
    for (const { at, kind, idea } of due) {
      const object = podObject(idea());
      const uid = object.metadata.uid!;
      if (kind === 'put') this.#objects.set(uid, object);
      else this.#objects.delete(uid);
      this.#told.push({ at, kind, object });
    }
    if (!this.#isConnected) return;
    for (const { kind, object } of this.#told) this.#pods[kind](object, this.#wallUs());
    this.#told = [];
    this.#pods.contact(this.#wallUs());
    this.#book.openUntilUs = this.#wallUs();
  }

  #disconnect(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    // What was not told yet is lost, so nothing later than this is believed: the strictest `stale_max`.
    this.#book.openUntilUs = this.#wallUs() - WATCH_LAG_US;
  }

  #reconnect(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#list();
  }

  /** A new process, which knows nothing. */
  #restart(): void {
    this.#book = new AddressBook(KEEP_US, 10_000);
    this.#pods = new Pods(
      { node: 'here', keepUs: KEEP_US, podsMax: 1000, labels: [], keepsAllLabels: false },
      this.#book,
    );
    this.#resolver = new Resolver(this.#pods, this.#book, KEEP_US);
    this.#resolver.observe(this.#wallUs(), this.#now * 1000);
    this.#isConnected = true;
    this.#list();
  }

  #list(): void {
    this.#told = [];
    this.#resolver.observeSkew((this.#now + API_OFFSET) * 1000 - this.#wallUs(), this.#wallUs());
    this.#pods.beginList();
    for (const object of this.#objects.values()) this.#pods.put(object, this.#wallUs());
    this.#pods.endList(this.#wallUs());
  }

  #setClock(): void {
    const { offset } = this.#offsets.at(-1)!;
    this.#offsets.push({ from: this.#now, offset: offset + this.#between(-60_000, 60_000) });
  }

  /** A line about a pod that is there is read at once or late; one about an address without a pod only late. */
  #log(): void {
    const address = this.#random.pick(this.#addresses);
    const isLate = this.#random.chance(0.5) || this.#holder(address, this.#now) === undefined;
    const readAt = this.#now + (isLate ? this.#between(LAG + 1000, 60_000) : this.#between(0, 300));
    this.#lines.push({ at: this.#now, address, stampUs: this.#wallUs(), readAt });
  }

  #read(): void {
    const due = this.#lines.filter(({ readAt }) => readAt <= this.#now);
    this.#lines = this.#lines.filter(({ readAt }) => readAt > this.#now);
    for (const line of due) {
      const found = this.#resolver.find(line.address, undefined, line.stampUs);
      const named = typeof found === 'string' ? undefined : found.holder.name;
      this.answers.push({ line, named, truth: this.#holder(line.address, line.at) });
    }
  }

  #holder(address: string, at: number): string | undefined {
    const had = (life: Life) => life.address === address && life.from <= at && at <= life.until;
    return this.#lives.find(had)?.name;
  }
}
