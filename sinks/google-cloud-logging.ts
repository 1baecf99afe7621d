import type { GoogleCloudLoggingSinkOptions } from '../agent/config/sinks/google-cloud-logging.ts';
import { compress } from './compress.ts';
import { endpoint } from './endpoint.ts';
import { type AccessToken, KeptToken, parseToken } from './google-cloud-logging/kept-token.ts';
import { type Cluster, writeRequest } from './google-cloud-logging/log-entries.ts';
import { MetadataServer } from './google-cloud-logging/metadata-server.ts';
import { ServiceAccountKey } from './google-cloud-logging/service-account-key.ts';
import { UnavailableError } from './google-cloud-logging/unavailable.ts';
import { judgeWriteAnswer } from './google-cloud-logging/write-answer.ts';
import { HttpClient } from './http-client.ts';
import { judgeError } from './http-outcome.ts';
import type { Batch, Outcome, Sink, SinkContext } from './sink.ts';

/** The API takes no larger request. */
const REQUEST_BYTES_MAX = 10_000_000;
/** Errors of all entries of a request, each with its message. */
const ANSWER_BYTES_MAX = 4 << 20;

/**
 * Records in Google Cloud Logging, as GKE's own policy logging writes them.
 *
 * An entry's `insertId` is the record's id: of entries that are equal in it and in their time, queries show one, so a
 * request that is sent again repeats nothing. A record without a time gets that of its arrival, and may repeat.
 *
 * The token comes from the metadata server or, with a key file, from the token endpoint, and is kept until shortly
 * before its end. One that is refused before its time is replaced at the next attempt; if the new one is refused too,
 * so are the credentials.
 */
export class GoogleCloudLoggingSink implements Sink {
  readonly #options: GoogleCloudLoggingSinkOptions;
  readonly #context: SinkContext;
  readonly #token: KeptToken;
  #client: HttpClient | undefined;
  #metadata: MetadataServer | undefined;
  #key: ServiceAccountKey | undefined;
  #cluster: Cluster | undefined;

  constructor(options: GoogleCloudLoggingSinkOptions, context: SinkContext) {
    this.#options = options;
    this.#context = context;
    this.#token = new KeptToken((nowMs, signal) => this.#newToken(nowMs, signal));
  }

  async open(): Promise<void> {
    const { name, url, metadata_url: metadataUrl, credentials_path: path } = this.#options;
    const api = { ...this.#options, url: endpoint(url, '/v2/entries:write') };
    this.#client = await HttpClient.open(api, this.#context);
    this.#metadata = await MetadataServer.open(name, metadataUrl, this.#context);
    if (path !== undefined) this.#key = await ServiceAccountKey.open(name, path, this.#context);
  }

  async send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const { compression, log_id: logId, labels } = this.#options;
    const nowMs = Date.now();
    try {
      this.#cluster ??= await this.#learnCluster(signal);
      const request = writeRequest(batch.records, this.#cluster, logId, labels);
      const plain = [Buffer.from(JSON.stringify(request))];
      if (plain[0]!.length > REQUEST_BYTES_MAX) {
        return {
          kind: 'too_large',
          reason: `${plain[0]!.length} bytes, and the API takes ${REQUEST_BYTES_MAX}`,
        };
      }
      const token = await this.#token.get(nowMs, signal);
      const answer = await this.#client!.send(
        {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            ...(compression === 'gzip' && { 'content-encoding': compression }),
            authorization: `Bearer ${token.value}`,
          },
          body: compression === 'gzip' ? [await compress(plain, compression)] : plain,
          answerBytesMax: ANSWER_BYTES_MAX,
        },
        signal,
      );
      const outcome = judgeWriteAnswer(answer, nowMs);
      if (answer.status !== 401 || outcome.kind !== 'retry') return outcome;
      this.#token.forget(token.value);
      return token.isNew ? outcome : { ...outcome, cause: 'error' };
    } catch (error) {
      return error instanceof UnavailableError ? error.retry : judgeError(error);
    }
  }

  async close(): Promise<void> {
    this.#client?.close();
    this.#metadata?.close();
    this.#key?.close();
  }

  async #newToken(nowMs: number, signal: AbortSignal): Promise<AccessToken> {
    if (this.#key) return this.#key.token(nowMs, signal);
    const json = await this.#metadata!.get('instance/service-accounts/default/token', signal);
    const token = json === undefined ? undefined : parseToken(json, nowMs);
    if (token) return token;
    const { metadata_url: url } = this.#options;
    throw new UnavailableError('unauthorized', `${url} has no token: the node or pod has no service account`);
  }

  async #learnCluster(signal: AbortSignal): Promise<Cluster> {
    const { project_id: projectId, location, cluster_name: clusterName } = this.#options;
    const learn = async (key: string, path: string): Promise<string> => {
      const value = await this.#metadata!.get(path, signal);
      if (value) return value;
      throw new UnavailableError('error', `the metadata server does not know ${path}: set ${key}`);
    };
    return {
      projectId: projectId ?? this.#key?.projectId ?? (await learn('project_id', 'project/project-id')),
      location: location ?? (await learn('location', 'instance/attributes/cluster-location')),
      clusterName: clusterName ?? (await learn('cluster_name', 'instance/attributes/cluster-name')),
    };
  }
}
