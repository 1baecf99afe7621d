import { type Answer, HttpClient } from '../http-client.ts';
import { describeAnswer } from '../http-outcome.ts';
import type { SinkContext } from '../sink.ts';
import { UnavailableError } from './unavailable.ts';

const HEADER = 'metadata-flavor';
const FLAVOR = 'Google';

/** The server that tells a machine of Google Cloud, or a pod with Workload Identity, who it is. */
export class MetadataServer {
  readonly #url: string;
  readonly #client: HttpClient;

  private constructor(url: string, client: HttpClient) {
    this.#url = url;
    this.#client = client;
  }

  static async open(name: string, url: string, context: SinkContext): Promise<MetadataServer> {
    return new MetadataServer(
      url,
      await HttpClient.open({ name, url, concurrency: 1, isNear: true }, context),
    );
  }

  /**
   * The value at a path, as `project/project-id`; undefined where there is none.
   * @throws UnavailableError; errors of the network and of `signal`
   */
  async get(path: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#client.send(
      { method: 'GET', path: `/computeMetadata/v1/${path}`, headers: { [HEADER]: FLAVOR }, body: [] },
      signal,
    );
    if (answer.headers[HEADER] !== FLAVOR) throw this.#failure(path, answer);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#failure(path, answer);
    return answer.body.trim();
  }

  close(): void {
    this.#client.close();
  }

  #failure(path: string, answer: Answer): UnavailableError {
    const said = answer.headers[HEADER] === FLAVOR ? describeAnswer(answer) : 'this is no metadata server';
    return new UnavailableError('error', `cannot read ${path} from ${this.#url}: ${said}`);
  }
}
