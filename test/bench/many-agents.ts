import { PassThrough, Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../agent/clock.ts';
import type { Api, ApiAnswer } from '../../agent/kubernetes/api-client.ts';
import { Reflector } from '../../agent/kubernetes/reflector.ts';
import { Random } from '../helpers/random.ts';

const STEP_MS = 50;
/** What each step gives the agents' promises and streams to settle. */
const TURNS = 8;

/** A clock that is moved by hand; all that is due in a step happens at its end. */
class SimulatedClock implements Clock {
  nowMs = 0;
  readonly #random: Random;
  readonly #due = new Map<number, Set<() => void>>();

  constructor(random: Random) {
    this.#random = random;
  }

  now(): number {
    return this.nowMs;
  }

  random(): number {
    return this.#random.unit();
  }

  setTimeout(run: () => void, ms: number): () => void {
    const step = Math.ceil((this.nowMs + ms + 1) / STEP_MS);
    const others = this.#due.get(step);
    if (others === undefined) this.#due.set(step, new Set([run]));
    else others.add(run);
    return () => others?.delete(run);
  }

  clearTimeout(cancel: unknown): void {
    (cancel as () => void)();
  }

  async step(): Promise<void> {
    this.nowMs += STEP_MS;
    const step = this.nowMs / STEP_MS;
    for (const run of this.#due.get(step) ?? []) run();
    this.#due.delete(step);
    for (let i = 0; i < TURNS; i++) await turn();
  }
}

/** An API server that takes so many requests a second, answers 429 to the rest, and breaks all watches when told to. */
class SimulatedServer implements Api {
  /** Requests by second. */
  readonly asked: number[] = [];
  refused = 0;
  isAway = false;
  readonly #clock: Clock;
  readonly #perSecondMax: number;
  #watches: PassThrough[] = [];

  constructor(clock: Clock, perSecondMax: number) {
    this.#clock = clock;
    this.#perSecondMax = perSecondMax;
  }

  async get(path: string): Promise<ApiAnswer> {
    const second = Math.floor(this.#clock.now() / 1000);
    this.asked[second] = (this.asked[second] ?? 0) + 1;
    if (this.isAway) throw new Error('refused');
    const answer = { status: 200, serverMs: undefined, retryAfterMs: undefined };
    if (this.asked[second]! > this.#perSecondMax) {
      this.refused += 1;
      return { ...answer, status: 429, retryAfterMs: 1000, body: Readable.from([]) };
    }
    if (!path.includes('watch=1')) {
      return {
        ...answer,
        body: Readable.from([Buffer.from('{"metadata":{"resourceVersion":"1"},"items":[]}')]),
      };
    }
    const body = new PassThrough();
    this.#watches.push(body);
    return { ...answer, body };
  }

  post(): Promise<ApiAnswer> {
    throw new Error('nobody writes');
  }

  get watches(): number {
    return this.#watches.length;
  }

  breakAll(): void {
    for (const watch of this.#watches) watch.destroy(new Error('reset'));
    this.#watches = [];
  }
}

/** Requests a second at the API server, at their most, and how long it took until all watched. */
export interface Stampede {
  readonly peakPerSecond: number;
  readonly seconds: number;
  readonly requests: number;
  readonly refused: number;
}

/**
 * So many agents, each with the reflector that it has, start at once; then the API server goes away for a while and all
 * of them lose their watch at once.
 */
export async function simulateAgents(
  agents: number,
  jitterMs: number,
  perSecondMax: number,
  awayMs: number,
): Promise<{ start: Stampede; back: Stampede }> {
  const clock = new SimulatedClock(new Random(1));
  const server = new SimulatedServer(clock, perSecondMax);
  const stop = new AbortController();
  const nothing = () => {};
  for (let agent = 0; agent < agents; agent++) {
    const reflector = new Reflector({
      resource: { name: 'pods', path: '/api/v1/pods', fieldSelector: `spec.nodeName=node-${agent}` },
      store: { beginList: nothing, put: nothing, remove: nothing, endList: nothing },
      api: server,
      clock,
      jitterMs,
      events: { serverTime: nothing, failing: nothing, recovered: nothing },
    });
    void reflector.run(stop.signal);
  }
  const untilAllWatch = async (): Promise<Stampede> => {
    const fromMs = clock.nowMs;
    const refusedBefore = server.refused;
    while (server.watches < agents && clock.nowMs - fromMs < 3_600_000) await clock.step();
    const asked = Array.from(server.asked.slice(Math.floor(fromMs / 1000)), (count) => count ?? 0);
    return {
      peakPerSecond: Math.max(...asked),
      seconds: (clock.nowMs - fromMs) / 1000,
      requests: asked.reduce((sum, count) => sum + count, 0),
      refused: server.refused - refusedBefore,
    };
  };
  const start = await untilAllWatch();
  // On to a second of its own.
  while (clock.nowMs % 1000 !== 0) await clock.step();
  server.isAway = true;
  server.breakAll();
  const awayUntilMs = clock.nowMs + awayMs;
  while (clock.nowMs < awayUntilMs) await clock.step();
  server.isAway = false;
  const back = await untilAllWatch();
  stop.abort();
  server.breakAll();
  return { start, back };
}
