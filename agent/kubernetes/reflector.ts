import type { Clock } from '../clock.ts';
import { backoffMs } from '../delivery/backoff.ts';
import { Tally } from '../observe/accounts.ts';
import type { Api, ApiAnswer } from './api-client.ts';
import { linesOf } from './lines-of.ts';
import { ListScanner } from './list-scanner.ts';
import type { ObjectStore } from './object-store.ts';
import type { ObjectMetadata } from './pod-facts.ts';

/** Asked for; an answer from the watch cache comes whole nevertheless, and is taken apart as it comes. */
const PAGE_ITEMS = 500;
/** A watch is asked to last so long, each a little different, so that 5,000 of them do not end together. */
const WATCH_MS_MIN = 300_000;
const WATCH_MS_MAX = 600_000;
/** How much later than that it may end. */
const WATCH_LATE_MS = 30_000;
const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 60_000;
/** An API server that starts forbids everything until it knows its rules. */
const HOPELESS_REFUSALS = 3;
const MESSAGE_BYTES_MAX = 4096;

/** What is watched. */
export interface Resource {
  /** In metrics and messages. */
  readonly name: string;
  readonly path: string;
  readonly fieldSelector?: string | undefined;
  /** Whether names, labels and annotations are all that is needed. */
  readonly metadataOnly?: boolean;
}

export interface ReflectorParts<T> {
  readonly resource: Resource;
  readonly store: ObjectStore<T>;
  readonly api: Api;
  readonly clock: Clock;
  /** Lists begin, and broken watches begin anew, at random within so long. */
  readonly jitterMs: number;
  readonly events: ReflectorEvents;
}

export interface ReflectorEvents {
  /** The API server said what time it is. */
  serverTime(serverMs: number): void;
  /** It cannot be read; told once until it can. */
  failing(resource: string, reason: string): void;
  recovered(resource: string): void;
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: { readonly metadata?: ObjectMetadata; readonly code?: number; readonly message?: string };
}

/** Why a list or a watch did not go on. */
class ApiFailure extends Error {
  readonly reason: string;
  readonly afterMs: number;

  constructor(reason: string, message: string, afterMs = 0) {
    super(message);
    this.reason = reason;
    this.afterMs = afterMs;
  }
}

/**
 * Keeps a store like what the API server has of one resource: a list, and from there on a watch.
 *
 * Promises: after an interruption the watch goes on where it was; only when the API server no longer knows that place
 * (410, in whatever form it comes) the list is taken again, and never an older one than what was seen. The list is
 * asked of the server's cache, which costs it little. Nothing is repeated without a pause at random, which grows with every failure up to a minute; so however
 * many agents start at once, or lose their watch at once, they come back spread over `jitterMs`.
 * Refuses: to give up. Without permission it asks seldom, and the store stays as it is.
 */
export class Reflector<T extends { readonly metadata: ObjectMetadata }> {
  readonly #parts: ReflectorParts<T>;
  readonly restarts = new Tally();
  readonly #listed = Promise.withResolvers<void>();
  /** Where the watch is to go on; undefined: after a list. */
  #version: string | undefined;
  /** A list must not be older than this: what has gone since must not come back. */
  #atLeast: string | undefined;
  #failures = 0;
  /** Answers that it is forbidden, or that there is no such resource, since the last good one. */
  #refusals = 0;
  #isFailing = false;
  #isSynced = false;
  #contactMs: number | undefined;

  constructor(parts: ReflectorParts<T>) {
    this.#parts = parts;
  }

  get resource(): Resource {
    return this.#parts.resource;
  }

  /** Whether a list has been read to its end, ever. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** When the API server was last heard of about this resource, ms since the epoch. */
  get contactMs(): number | undefined {
    return this.#contactMs;
  }

  /** Resolves with the first list, or when it is clear that there will be none soon. */
  get listed(): Promise<void> {
    return this.#listed.promise;
  }

  /** Runs until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, jitterMs, events, resource } = this.#parts;
    let waitMs = clock.random() * jitterMs;
    while (true) {
      await this.#pause(waitMs, signal);
      if (signal.aborted) return;
      waitMs = 0;
      try {
        if (this.#version === undefined) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        const { reason, message, afterMs } = asFailure(error);
        this.restarts.add(reason);
        // A server that was set back to an older state knows no way on from here, nor gets to where it was.
        if (reason === 'error' && this.#version === undefined) this.#atLeast = undefined;
        if (reason === 'expired' || reason === 'error') this.#version = undefined;
        this.#failures += 1;
        if (reason === 'forbidden' || reason === 'not_found') this.#refusals += 1;
        const isHopeless = this.#refusals >= HOPELESS_REFUSALS;
        if (isHopeless) this.#listed.resolve();
        const limits = {
          backoffMinMs: isHopeless ? BACKOFF_MS_MAX : Math.max(BACKOFF_MS_MIN, jitterMs),
          backoffMaxMs: Math.max(BACKOFF_MS_MAX, jitterMs),
        };
        waitMs = backoffMs(limits, this.#failures, clock.random(), afterMs);
        // That a watch ends or is too old is nothing to tell anybody.
        if (reason === 'expired' || reason === 'ended_early' || this.#isFailing) continue;
        this.#isFailing = true;
        events.failing(resource.name, message);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { api, clock, resource, store } = this.#parts;
    store.beginList();
    let next: string | undefined;
    let version: string | undefined;
    do {
      const path = pathOf(resource, this.#listQuery(next));
      const answer = await api.get(path, acceptOf(resource, 'PartialObjectMetadataList'), signal);
      await this.#check(answer);
      const scanner = new ListScanner((item) => store.put(item as T, clock.now() * 1000));
      for await (const chunk of answer.body) scanner.push(chunk as Buffer);
      const { metadata } = scanner.end() as { metadata: { resourceVersion: string; continue?: string } };
      version = metadata.resourceVersion;
      next = metadata.continue;
    } while (next);
    store.endList(clock.now() * 1000);
    this.#version = version;
    this.#atLeast = version;
    this.#contact();
    this.#isSynced = true;
    this.#listed.resolve();
  }

  /** All of these are answered from the server's cache, where it has one; a limit would lead past it but at `0`. */
  #listQuery(next: string | undefined): Record<string, string> {
    // A page after the first is of the first one's version.
    if (next !== undefined) return { limit: String(PAGE_ITEMS), continue: next };
    if (this.#atLeast === undefined) return { limit: String(PAGE_ITEMS), resourceVersion: '0' };
    return { resourceVersion: this.#atLeast, resourceVersionMatch: 'NotOlderThan' };
  }

  /** Returns when the watch has lasted as long as it was asked to. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { api, clock, resource } = this.#parts;
    const lastsMs = WATCH_MS_MIN + Math.floor(clock.random() * (WATCH_MS_MAX - WATCH_MS_MIN));
    const path = pathOf(resource, {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version!,
      timeoutSeconds: String(Math.round(lastsMs / 1000)),
    });
    const begunMs = clock.now();
    const accept = acceptOf(resource, 'PartialObjectMetadata');
    const answer = await api.get(path, accept, signal, lastsMs + WATCH_LATE_MS);
    await this.#check(answer);
    this.#contact();
    for await (const line of linesOf(answer.body)) this.#take(JSON.parse(line) as WatchEvent);
    if (clock.now() - begunMs < lastsMs - WATCH_LATE_MS) {
      throw new ApiFailure('ended_early', 'the watch ended before its time');
    }
    this.restarts.add('ended');
  }

  #take({ type, object }: WatchEvent): void {
    const { clock, store } = this.#parts;
    const nowUs = clock.now() * 1000;
    if (type === 'ERROR') {
      if (object.code === 410) throw new ApiFailure('expired', 'the version is too old');
      throw new ApiFailure('error', `the watch reports ${object.code}: ${object.message}`);
    }
    if (type === 'DELETED') store.remove(object as T, nowUs);
    else if (type !== 'BOOKMARK') store.put(object as T, nowUs);
    this.#version = object.metadata?.resourceVersion ?? this.#version;
    this.#atLeast = this.#version;
    this.#contact();
  }

  #contact(): void {
    const { clock, store, events, resource } = this.#parts;
    this.#contactMs = clock.now();
    store.contact?.(this.#contactMs * 1000);
    this.#failures = 0;
    this.#refusals = 0;
    if (!this.#isFailing) return;
    this.#isFailing = false;
    events.recovered(resource.name);
  }

  async #check(answer: ApiAnswer): Promise<void> {
    const { status, serverMs, retryAfterMs, body } = answer;
    if (serverMs !== undefined) this.#parts.events.serverTime(serverMs);
    if (status === 200) return;
    let text = '';
    for await (const chunk of body) if (text.length < MESSAGE_BYTES_MAX) text += chunk;
    const reason = REASONS.get(status) ?? 'error';
    throw new ApiFailure(reason, `HTTP ${status}: ${messageOf(text)}`, retryAfterMs);
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    if (ms <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clock.clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = clock.setTimeout(done, ms);
      signal.addEventListener('abort', done);
    });
  }
}

const REASONS = new Map([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not_found'],
  [410, 'expired'],
  [429, 'busy'],
  [502, 'busy'],
  [503, 'busy'],
]);

function asFailure(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  return new ApiFailure('network', message || code || String(error));
}

/** What the API server says in its Status object. */
function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text;
  }
}

function pathOf({ path, fieldSelector }: Resource, query: Record<string, string>): string {
  return `${path}?${new URLSearchParams({ ...(fieldSelector && { fieldSelector }), ...query })}`;
}

function acceptOf({ metadataOnly }: Resource, kind: string): string {
  return metadataOnly
    ? `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`
    : 'application/json';
}
