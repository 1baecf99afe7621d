import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Api, ApiAnswer } from '../../../agent/kubernetes/api-client.ts';
import type { ObjectStore } from '../../../agent/kubernetes/object-store.ts';
import { Reflector } from '../../../agent/kubernetes/reflector.ts';

type Named = { metadata: { name: string; resourceVersion?: string } };
type Asked = {
  path: string;
  query: URLSearchParams;
  accept: string;
  answer: (answer: Partial<ApiAnswer> | Error) => void;
};

/** An API server that answers as it is told to, and a clock that stands until it is moved. */
class Lab implements Api, ObjectStore<Named> {
  asked: Asked[] = [];
  names = new Set<string>();
  failing: string[] = [];
  timers: { run: () => void; ms: number }[] = [];
  nowMs = 1_000_000;
  random = 0.5;
  readonly stop = new AbortController();
  readonly reflector: Reflector<Named>;
  #listed = new Set<string>();

  constructor(resource: object = {}) {
    this.reflector = new Reflector<Named>({
      resource: { name: 'pods', path: '/api/v1/pods', ...resource },
      store: this,
      api: this,
      clock: {
        now: () => this.nowMs,
        random: () => this.random,
        setTimeout: (run, ms) => this.timers.push({ run, ms }),
        clearTimeout: () => {},
      },
      jitterMs: 5000,
      events: {
        serverTime: () => {},
        failing: (_, reason) => this.failing.push(reason),
        recovered: () => this.failing.push('recovered'),
      },
    });
    void this.reflector.run(this.stop.signal);
  }

  get(path: string, accept: string): Promise<ApiAnswer> {
    const url = new URL(path, 'http://api');
    return new Promise((resolve, reject) => {
      const answer = (given: Partial<ApiAnswer> | Error) => {
        if (given instanceof Error) reject(given);
        else
          resolve({
            status: 200,
            serverMs: undefined,
            retryAfterMs: undefined,
            body: bodyOf('{}'),
            ...given,
          });
      };
      this.asked.push({ path: url.pathname, query: url.searchParams, accept, answer });
    });
  }

  post(): Promise<ApiAnswer> {
    throw new Error('a reflector writes nothing');
  }

  beginList(): void {
    this.#listed = new Set();
  }

  put({ metadata }: Named): void {
    this.names.add(metadata.name);
    this.#listed.add(metadata.name);
  }

  remove({ metadata }: Named): void {
    this.names.delete(metadata.name);
  }

  endList(): void {
    this.names = new Set(this.#listed);
  }

  /** The next pause is over. @returns how long it was */
  async pause(): Promise<number> {
    for (let turns = 0; this.timers.length === 0 && turns < 100; turns++) await turn();
    const { run, ms } = this.timers.shift()!;
    this.nowMs += ms;
    run();
    return ms;
  }

  async next(): Promise<Asked> {
    for (let turns = 0; this.asked.length === 0 && turns < 100; turns++) await turn();
    return this.asked.shift()!;
  }

  /** Answers the list, and returns the watch that follows. */
  async list(...names: string[]): Promise<Asked> {
    (await this.next()).answer({ body: listOf('7', names) });
    return this.next();
  }
}

function bodyOf(...pieces: (string | Error)[]): Readable {
  return Readable.from(
    (async function* () {
      for (const piece of pieces) {
        if (piece instanceof Error) throw piece;
        yield Buffer.from(piece);
      }
    })(),
  );
}

function listOf(resourceVersion: string, names: readonly string[], next?: string): Readable {
  const metadata = { resourceVersion, continue: next };
  return bodyOf(JSON.stringify({ metadata, items: names.map((name) => ({ metadata: { name } })) }));
}

function event(type: string, name: string, resourceVersion: string): string {
  return `${JSON.stringify({ type, object: { metadata: { name, resourceVersion } } })}\n`;
}

let lab: Lab;
beforeEach(() => {
  lab = new Lab({ fieldSelector: 'spec.nodeName=here' });
});
afterEach(() => lab.stop.abort());

describe('a reflector', () => {
  test("begins at random within the jitter, lists from the server's cache, and watches from there", async () => {
    expect(await lab.pause()).toBe(2500);
    const list = await lab.next();
    expect(Object.fromEntries(list.query)).toEqual({
      fieldSelector: 'spec.nodeName=here',
      limit: '500',
      resourceVersion: '0',
    });
    list.answer({ body: listOf('7', ['a', 'b']) });
    const watch = await lab.next();
    expect(Object.fromEntries(watch.query)).toEqual({
      fieldSelector: 'spec.nodeName=here',
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: '7',
      timeoutSeconds: '450',
    });
    expect([...lab.names]).toEqual(['a', 'b']);
    expect(lab.reflector.isSynced).toBe(true);
  });

  test('takes pages where the server gives them', async () => {
    await lab.pause();
    (await lab.next()).answer({ body: listOf('7', ['a'], 'more') });
    const second = await lab.next();
    expect(second.query.get('continue')).toBe('more');
    expect(second.query.has('resourceVersion')).toBe(false);
    expect(lab.reflector.isSynced).toBe(false);
    second.answer({ body: listOf('7', ['b']) });
    await lab.next();
    expect([...lab.names]).toEqual(['a', 'b']);
  });

  test('asks for no more than metadata where that is enough', async () => {
    const other = new Lab({ metadataOnly: true });
    await other.pause();
    const { accept } = await other.next();
    expect(accept).toBe('application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json');
    other.stop.abort();
  });

  test('goes on at the last event or bookmark when a watch has lasted as long as it was to, without a pause', async () => {
    await lab.pause();
    const watch = await lab.list('a', 'b');
    lab.nowMs += 450_000;
    watch.answer({
      body: bodyOf(event('ADDED', 'c', '8'), event('DELETED', 'a', '9'), event('BOOKMARK', '', '12')),
    });
    const next = await lab.next();
    expect(next.query.get('resourceVersion')).toBe('12');
    expect([...lab.names]).toEqual(['b', 'c']);
    expect([...lab.reflector.restarts.entries()]).toEqual([['ended', 1]]);
    expect(lab.failing).toEqual([]);
  });

  test('goes on there, after a pause at random, when the watch breaks', async () => {
    await lab.pause();
    const watch = await lab.list('a');
    watch.answer({ body: bodyOf(event('ADDED', 'c', '8'), new Error('reset')) });
    expect(await lab.pause()).toBe(2500);
    expect((await lab.next()).query.get('resourceVersion')).toBe('8');
    expect(lab.failing).toEqual(['reset']);
  });

  test('a server that goes in order ends all watches at once: nobody comes back at once', async () => {
    await lab.pause();
    (await lab.list('a')).answer({ body: bodyOf() });
    expect(await lab.pause()).toBe(2500);
    expect((await lab.next()).query.get('resourceVersion')).toBe('7');
  });

  test.each([
    ['as a status', { status: 410 }],
    [
      'inside of the stream',
      { body: bodyOf('{"type":"ERROR","object":{"code":410,"message":"too old"}}\n') },
    ],
  ])('lists again when its place is gone: %s', async (_, answer) => {
    await lab.pause();
    (await lab.list('a', 'b')).answer(answer);
    await lab.pause();
    const list = await lab.next();
    // Not an older one, in which what has gone is there again; without a limit, which would lead past the cache.
    expect(Object.fromEntries(list.query)).toEqual({
      fieldSelector: 'spec.nodeName=here',
      resourceVersion: '7',
      resourceVersionMatch: 'NotOlderThan',
    });
    list.answer({ body: listOf('20', ['b']) });
    await lab.next();
    expect([...lab.names]).toEqual(['b']);
    expect(lab.failing).toEqual([]);
  });

  test('takes any list of a server that was set back and does not get to where it was', async () => {
    await lab.pause();
    const body = bodyOf('{"type":"ERROR","object":{"code":504,"message":"Too large resource version"}}\n');
    (await lab.list('a', 'b')).answer({ body });
    await lab.pause();
    const same = await lab.next();
    expect(same.query.get('resourceVersionMatch')).toBe('NotOlderThan');
    same.answer({ status: 504 });
    await lab.pause();
    const list = await lab.next();
    expect(list.query.get('resourceVersion')).toBe('0');
    list.answer({ body: listOf('3', ['b']) });
    expect((await lab.next()).query.get('resourceVersion')).toBe('3');
  });

  test('begins the list anew when a page of it is gone', async () => {
    await lab.pause();
    (await lab.next()).answer({ body: listOf('7', ['a'], 'more') });
    (await lab.next()).answer({ status: 410 });
    await lab.pause();
    const list = await lab.next();
    expect(list.query.has('continue')).toBe(false);
    list.answer({ body: listOf('9', ['b']) });
    await lab.next();
    expect([...lab.names]).toEqual(['b']);
  });

  test('pauses grow to a minute, are full of jitter, and no shorter than the server asks', async () => {
    const pauses = [await lab.pause()];
    for (let failure = 0; failure < 6; failure++) {
      (await lab.next()).answer(new Error('refused'));
      pauses.push(await lab.pause());
    }
    expect(pauses).toEqual([2500, 2500, 5000, 10_000, 20_000, 30_000, 30_000]);
    (await lab.next()).answer({ status: 429, retryAfterMs: 45_000 });
    expect(await lab.pause()).toBe(45_000);
    expect(lab.failing).toEqual(['refused']);
    (await lab.next()).answer({ body: listOf('7', []) });
    await lab.next();
    expect(lab.failing).toEqual(['refused', 'recovered']);
  });

  test('what is forbidden is asked for seldom, and nobody waits for it', async () => {
    await lab.pause();
    const body = () => bodyOf(JSON.stringify({ kind: 'Status', message: 'pods is forbidden' }));
    // An API server that starts says so too, for a moment.
    for (const ms of [2500, 5000]) {
      (await lab.next()).answer({ status: 403, body: body() });
      expect(await lab.pause()).toBe(ms);
    }
    (await lab.next()).answer({ status: 403, body: body() });
    await lab.reflector.listed;
    expect(await lab.pause()).toBe(30_000);
    expect(lab.failing).toEqual(['HTTP 403: pods is forbidden']);
    expect(lab.reflector.isSynced).toBe(false);
  });
});
