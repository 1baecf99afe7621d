import { join } from 'node:path';
import { freePort } from '../../helpers/free-port.ts';
import { built, versions } from '../cache.ts';
import { answers, ServerProcess } from './server-process.ts';

/** A document as a search gives it. */
export interface Hit {
  readonly _index: string;
  readonly _id: string;
  readonly _source: Record<string, unknown>;
}

const SMALL = ['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const PAGE_HITS = 10_000;

/** A real OpenSearch of one node, without plugins. */
export class OpenSearch extends ServerProcess {
  readonly origin: string;
  readonly #port: number;
  readonly #settings: readonly string[];

  private constructor(port: number, settings: readonly string[]) {
    super('opensearch');
    this.origin = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#settings = settings;
  }

  /** @param settings further ones, as `name=value` */
  static async start(...settings: string[]): Promise<OpenSearch> {
    return new OpenSearch(await freePort(), settings).started();
  }

  /** Calls its API; what it refuses is thrown. */
  async ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.origin}${path}`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }

  /** What the query string finds, by time; at most 10,000 documents. */
  async search(target: string, query: string): Promise<Hit[]> {
    await this.#askAll('POST', `/${target}/_refresh`);
    const parameters = `q=${encodeURIComponent(query)}&sort=@timestamp&size=${PAGE_HITS}`;
    const answer = await this.#askAll('GET', `/${target}/_search?${parameters}`);
    return (answer as { hits: { hits: Hit[] } }).hits.hits;
  }

  /** The ids of all documents, those of several indices behind the target included. */
  async ids(target: string): Promise<string[]> {
    await this.#askAll('POST', `/${target}/_refresh`);
    const ids: string[] = [];
    const request = { size: PAGE_HITS, _source: false, sort: ['_doc'] };
    let page = await this.#askAll('POST', `/${target}/_search?scroll=1m`, request);
    for (;;) {
      const { _scroll_id: scrollId, hits } = page as { _scroll_id: string; hits: { hits: Hit[] } };
      ids.push(...hits.hits.map(({ _id }) => _id));
      if (hits.hits.length < PAGE_HITS) {
        await this.ask('DELETE', '/_search/scroll', { scroll_id: scrollId });
        return ids;
      }
      page = await this.#askAll('POST', '/_search/scroll', { scroll: '1m', scroll_id: scrollId });
    }
  }

  /** Asks what all shards have a part in; one that is missing is left out of an answer that is 200 all the same. */
  async #askAll(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await this.ask(method, path, body);
    const { total, successful } = answer._shards as { total: number; successful: number };
    if (answer.timed_out === true || successful !== total) {
      throw new Error(
        `${method} ${path}: of ${total} shards only ${successful} have answered: ${JSON.stringify(answer)}`,
      );
    }
    return answer;
  }

  protected command(): readonly string[] {
    const home = built(`opensearch-${versions.OPENSEARCH}`);
    return [
      ...[join(home, 'jdk/bin/java'), ...SMALL, '--enable-native-access=ALL-UNNAMED'],
      ...['-cp', `${home}:${home}/lib/*`, 'Server', this.at('data'), `${this.#port}`, ...this.#settings],
    ];
  }

  protected isReady(): Promise<boolean> {
    return answers(`${this.origin}/_cluster/health?wait_for_status=yellow&timeout=1s`);
  }
}
