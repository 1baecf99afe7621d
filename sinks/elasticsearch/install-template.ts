import type { ElasticsearchSinkOptions } from '../../agent/config/sinks/elasticsearch.ts';
import { endpoint } from '../endpoint.ts';
import type { Answer, HttpClient } from '../http-client.ts';
import { describeAnswer, judgeAnswer } from '../http-outcome.ts';
import type { Retry } from '../sink.ts';
import { ilmPolicy, indexTemplate, ismPolicy, type Server, templateName } from './template.ts';

type Options = Pick<ElasticsearchSinkOptions, 'url' | 'mode' | 'index' | 'template'>;

/**
 * Installs the index template that the options ask for and, with a retention, what deletes: the data stream lifecycle,
 * or a policy of ILM, or of ISM. All of it bears the agent's name and is written over without a question; every node
 * writes the same.
 * @returns why it could not be done; undefined when it is
 * @throws errors of the network
 */
export async function installTemplate(
  client: HttpClient,
  options: Options,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Retry | undefined> {
  const ask = async (method: 'GET' | 'PUT', path: string, body?: object): Promise<Answer> => {
    const request = {
      method,
      path: endpointPath(options.url, path),
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
      body: body ? [Buffer.from(JSON.stringify(body))] : [],
    };
    return client.send(request, signal);
  };
  const name = templateName(options.index);
  const about = await ask('GET', '/');
  const server = about.status === 200 ? readServer(about.body, options.mode) : undefined;
  if (!server) return failure('learn which server this is from GET /', about);

  const retention = options.template?.retention;
  if (retention !== undefined && server.lifecycle === 'ism') {
    const path = `/_plugins/_ism/policies/${name}`;
    const policy = ismPolicy(options);
    const present = await ask('GET', path);
    if (present.status !== 200 && present.status !== 404)
      return failure(`read the ISM policy ${name}`, present);
    const { description, revision } = readIsmPolicy(present);
    if (description !== policy.policy.description) {
      const written = await ask('PUT', `${path}${revision}`, policy);
      // 409: another node was faster.
      if (!isOk(written) && written.status !== 409) return failure(`install the ISM policy ${name}`, written);
    }
  }
  if (retention !== undefined && server.lifecycle === 'ilm') {
    const written = await ask('PUT', `/_ilm/policy/${name}`, ilmPolicy(options));
    if (!isOk(written)) return failure(`install the ILM policy ${name}`, written);
  }
  const written = await ask('PUT', `/_index_template/${name}`, indexTemplate(options, server));
  return isOk(written) ? undefined : failure(`install the index template ${name}`, written);
}

function endpointPath(url: string, path: string): string {
  const { pathname, search } = new URL(path, 'http://host');
  return `${new URL(endpoint(url, pathname)).pathname}${search}`;
}

function isOk({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

function failure(what: string, answer: Answer): Retry {
  const judged = judgeAnswer(answer, Date.now());
  const cause = judged?.kind === 'retry' ? judged.cause : 'error';
  return { kind: 'retry', cause, reason: `cannot ${what}: ${describeAnswer(answer)}` };
}

/**
 * From 8.14 on Elasticsearch keeps data streams in order by itself; serverless, which says 8.11, has nothing else.
 * Plain indices need ILM.
 */
const DATA_STREAM_LIFECYCLE_SINCE = 8014;

function readServer(body: string, mode: Options['mode']): Server | undefined {
  const { version } = parse<{
    version?: { number?: string; distribution?: string; build_flavor?: string };
  }>(body);
  if (typeof version?.number !== 'string') return undefined;
  if (version.distribution === 'opensearch') return { lifecycle: 'ism', flatType: 'flat_object' };
  const [major = 0, minor = 0] = version.number.split('.').map(Number);
  const isOwn = version.build_flavor === 'serverless' || major * 1000 + minor >= DATA_STREAM_LIFECYCLE_SINCE;
  return { lifecycle: isOwn && mode === 'data_stream' ? 'data_stream' : 'ilm', flatType: 'flattened' };
}

/** What of the policy that is there tells whether it is the one we want, and the query that replaces it. */
function readIsmPolicy(answer: Answer): { description: string | undefined; revision: string } {
  if (answer.status === 404) return { description: undefined, revision: '' };
  const found = parse<{ _seq_no?: number; _primary_term?: number; policy?: { description?: string } }>(
    answer.body,
  );
  const revision = `?if_seq_no=${found._seq_no}&if_primary_term=${found._primary_term}`;
  return { description: found.policy?.description, revision };
}

function parse<T extends object>(body: string): Partial<T> {
  try {
    return JSON.parse(body) as T;
  } catch {
    return {};
  }
}
