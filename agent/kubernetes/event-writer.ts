import type { Clock } from '../clock.ts';
import type { Api } from './api-client.ts';

/** Events that wait to be written; further ones are not written. */
const WAITING_MAX = 50;
const WRITE_MS_MAX = 10_000;
const MINUTE_US = 60_000_000;
const COMPONENT = 'policy-log-agent';

/** What an Event is about. */
export interface Regarding {
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  /** An Event about something that has none is written to `default`. */
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
}

export interface ClusterEvent {
  readonly regarding: Regarding;
  readonly type: 'Normal' | 'Warning';
  /** One word, as `NetworkPolicyDenied`. */
  readonly reason: string;
  readonly message: string;
}

export interface EventCounts {
  written: number;
  /** Beyond the budget, or the API server would not take them. */
  dropped: number;
}

/**
 * Writes Kubernetes Events. They are help, not record: no more than a budget, one after the other, each tried once,
 * and nobody waits for them.
 */
export class EventWriter {
  readonly counts: EventCounts = { written: 0, dropped: 0 };
  readonly #api: Api;
  readonly #node: string;
  readonly #clock: Clock;
  readonly #perMinute: number;
  readonly #signal: AbortSignal;
  #recentUs: number[] = [];
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(api: Api, node: string, perMinute: number, clock: Clock, signal: AbortSignal) {
    this.#api = api;
    this.#node = node;
    this.#perMinute = perMinute;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** @returns whether it will be tried */
  emit(event: ClusterEvent): boolean {
    const nowUs = this.#clock.now() * 1000;
    this.#recentUs = this.#recentUs.filter((us) => us > nowUs - MINUTE_US && us <= nowUs);
    if (this.#recentUs.length >= this.#perMinute || this.#waiting >= WAITING_MAX) {
      this.counts.dropped += 1;
      return false;
    }
    this.#recentUs.push(nowUs);
    this.#waiting += 1;
    this.#last = this.#last.then(() => this.#write(event));
    return true;
  }

  /** Resolves when all that was taken has been tried. */
  idle(): Promise<void> {
    return this.#last;
  }

  async #write(event: ClusterEvent): Promise<void> {
    const { name, namespace = 'default' } = event.regarding;
    const now = new Date(this.#clock.now()).toISOString().replace(/\.\d+/, '');
    const body = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { generateName: `${name.slice(0, 200)}.`, namespace },
      involvedObject: event.regarding,
      type: event.type,
      reason: event.reason,
      message: event.message.slice(0, 1024),
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: COMPONENT, host: this.#node },
      reportingComponent: COMPONENT,
      reportingInstance: this.#node,
    };
    try {
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(WRITE_MS_MAX)]);
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
      const { status, body: answer } = await this.#api.post(path, body, signal);
      answer.resume();
      if (status === 201) this.counts.written += 1;
      else this.counts.dropped += 1;
    } catch {
      this.counts.dropped += 1;
    }
    this.#waiting -= 1;
  }
}
