import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { elasticsearchSinkSchema } from '../../../agent/config/sinks/elasticsearch.ts';
import { ElasticsearchSink } from '../../../sinks/elasticsearch.ts';
import { HttpFixture, type Reaction } from '../http-fixture.ts';
import { batchOfRecords } from '../outgoing.ts';
import { flowRecord } from '../records.ts';

const never = new AbortController().signal;
const NAME = 'policy-log-agent-logs-network_policy.any-default';
const PATTERN = 'logs-network_policy.*-default';
const TEMPLATE = `/_index_template/${NAME}`;
const ISM = `/_plugins/_ism/policies/${NAME}`;
const ILM = `/_ilm/policy/${NAME}`;

const OPENSEARCH = { version: { distribution: 'opensearch', number: '3.8.0' } };
const ELASTIC_9 = { version: { number: '9.2.1', build_flavor: 'default' } };
const ELASTIC_813 = { version: { number: '8.13.4', build_flavor: 'default' } };
const SERVERLESS = { version: { number: '8.11.0', build_flavor: 'serverless' } };

/** A server that says what it is, and answers the rest as told. */
async function openSink(about: object, options: Record<string, unknown>, path = '') {
  const server = new HttpFixture();
  await server.start();
  onTestFinished(() => server.kill());
  const answers = new Map<string, Reaction>([['GET /', answer(200, about)]]);
  const prefix = path.replace('/_bulk', '');
  server.react = ({ method, path: whole }) => {
    const path = whole.slice(prefix.length);
    if (path.startsWith('/_bulk')) return answer(200, { errors: false });
    return answers.get(`${method} ${path}`) ?? (method === 'PUT' ? answer(200, {}) : answer(404, {}));
  };
  const config = { type: 'elasticsearch', name: 'search', url: `${server.origin}${path}`, ...options };
  const sink = new ElasticsearchSink(z.parse(elasticsearchSinkSchema, config), { warn() {}, stop() {} });
  await sink.open();
  onTestFinished(() => sink.close());
  const send = () => sink.send(batchOfRecords([flowRecord(1)]), never);
  const requests = () =>
    server.all.map(({ method, path }) => `${method} ${path.replace(/\?filter_path=.*/, '')}`);
  const bodyOf = (path: string) => {
    const found = server.all.findLast((request) => request.method === 'PUT' && request.path === path);
    return found && JSON.parse(found.body);
  };
  return { send, server, answers, requests, bodyOf };
}

function answer(status: number, body: object): Reaction {
  return { kind: 'answer', status, body: JSON.stringify(body) };
}

test('nothing is installed that nobody asked for', async () => {
  const { send, requests } = await openSink(OPENSEARCH, {});
  await send();
  expect(requests()).toEqual(['POST /_bulk']);
});

test('a template goes before the first records, once', async () => {
  const { send, requests, bodyOf, server } = await openSink(ELASTIC_9, {
    template: { shards: 2, replicas: 0 },
    api_key: 'k',
  });
  await send();
  await send();
  expect(requests()).toEqual(['GET /', `PUT ${TEMPLATE}`, 'POST /_bulk', 'POST /_bulk']);
  expect(server.all.map(({ headers }) => headers.authorization)).toEqual(Array(4).fill('ApiKey k'));
  expect(bodyOf(TEMPLATE)).toMatchObject({
    index_patterns: [PATTERN],
    priority: 500,
    data_stream: {},
    template: {
      settings: { 'index.number_of_shards': 2, 'index.number_of_replicas': 0 },
      mappings: { properties: { '@timestamp': { type: 'date_nanos' }, body: { type: 'flattened' } } },
    },
  });
});

test('Elasticsearch keeps data streams by their own lifecycle', async () => {
  for (const about of [ELASTIC_9, SERVERLESS]) {
    const { send, requests, bodyOf } = await openSink(about, { template: { retention: '30d' } });
    await send();
    expect(requests()).toEqual(['GET /', `PUT ${TEMPLATE}`, 'POST /_bulk']);
    const { template } = bodyOf(TEMPLATE);
    expect(template.lifecycle).toEqual({ data_retention: '30d' });
    expect(Object.keys(template.settings)).toEqual(['index.mapping.ignore_malformed']);
  }
});

test.each([
  [
    'older Elasticsearch',
    ELASTIC_813,
    {},
    { rollover: { max_age: '12h', max_primary_shard_size: '1073741824b' } },
  ],
  ['plain indices of Elasticsearch', ELASTIC_9, { mode: 'index' }, {}],
])('%s: an ILM policy', async (_name, about, options, actions) => {
  const template = { retention: '36h', rollover: { age_max: '12h', size_max: '1GiB' } };
  const { send, requests, bodyOf } = await openSink(about, { template, ...options });
  await send();
  expect(requests()).toEqual(['GET /', `PUT ${ILM}`, `PUT ${TEMPLATE}`, 'POST /_bulk']);
  expect(bodyOf(ILM).policy.phases).toEqual({
    hot: { min_age: '0ms', actions },
    delete: { min_age: '36h', actions: { delete: {} } },
  });
  expect(bodyOf(TEMPLATE).template.settings).toMatchObject({ 'index.lifecycle.name': NAME });
  expect(bodyOf(TEMPLATE).template.lifecycle).toBeUndefined();
});

test('OpenSearch: an ISM policy that finds its data streams by name', async () => {
  const { send, requests, bodyOf } = await openSink(OPENSEARCH, { template: { retention: '7d' } });
  await send();
  expect(requests()).toEqual(['GET /', `GET ${ISM}`, `PUT ${ISM}`, `PUT ${TEMPLATE}`, 'POST /_bulk']);
  expect(bodyOf(ISM).policy).toMatchObject({
    ism_template: [{ index_patterns: [PATTERN] }],
    default_state: 'hot',
    states: [
      {
        name: 'hot',
        actions: [{ rollover: { min_index_age: '1d', min_primary_shard_size: '32212254720b' } }],
        transitions: [{ state_name: 'delete', conditions: { min_rollover_age: '7d' } }],
      },
      { name: 'delete', actions: [{ delete: {} }] },
    ],
  });
  expect(bodyOf(TEMPLATE).template.mappings.properties.body).toEqual({ type: 'flat_object' });
});

test('OpenSearch: plain indices are deleted by their age', async () => {
  const { send, bodyOf } = await openSink(OPENSEARCH, { mode: 'index', template: { retention: '7d' } });
  await send();
  expect(bodyOf(ISM).policy.states[0]).toEqual({
    name: 'hot',
    actions: [],
    transitions: [{ state_name: 'delete', conditions: { min_index_age: '7d' } }],
  });
  expect(bodyOf(TEMPLATE).data_stream).toBeUndefined();
});

test('OpenSearch: the policy is replaced only when it says something else', async () => {
  const first = await openSink(OPENSEARCH, { template: { retention: '7d' } });
  await first.send();
  const { policy } = first.bodyOf(ISM);
  const present = answer(200, { _id: NAME, _seq_no: 41, _primary_term: 2, policy });

  const same = await openSink(OPENSEARCH, { template: { retention: '7d' } });
  same.answers.set(`GET ${ISM}`, present);
  await same.send();
  expect(same.requests()).toEqual(['GET /', `GET ${ISM}`, `PUT ${TEMPLATE}`, 'POST /_bulk']);

  const changed = await openSink(OPENSEARCH, { template: { retention: '8d' } });
  changed.answers.set(`GET ${ISM}`, present);
  const replace = `PUT ${ISM}?if_seq_no=41&if_primary_term=2`;
  changed.answers.set(replace, answer(409, {}));
  expect(await changed.send()).toEqual({ kind: 'delivered' });
  expect(changed.requests()).toContain(replace);
});

test.each([
  ['GET /', 401, 'unauthorized', /^cannot learn which server this is from GET \/: HTTP 401/],
  [`GET ${ISM}`, 400, 'error', /^cannot read the ISM policy/],
  [`PUT ${ISM}`, 403, 'unauthorized', /^cannot install the ISM policy/],
  [`PUT ${TEMPLATE}`, 400, 'error', /^cannot install the index template policy-log-agent-logs/],
  [`PUT ${TEMPLATE}`, 503, 'busy', /^cannot install the index template/],
])('records wait while %s says %i', async (request, status, cause, reason) => {
  const { send, answers, requests } = await openSink(OPENSEARCH, { template: { retention: '7d' } });
  const before = answers.get(request);
  answers.set(request, answer(status, { error: 'no' }));
  expect(await send()).toMatchObject({ kind: 'retry', cause, reason: expect.stringMatching(reason) });
  expect(requests()).not.toContain('POST /_bulk');
  if (before) answers.set(request, before);
  else answers.delete(request);
  expect(await send()).toEqual({ kind: 'delivered' });
});

test.each(['/search', '/search/_bulk'])('with the path %s in the address', async (path) => {
  const { requests, send } = await openSink(OPENSEARCH, { template: {} }, path);
  await send();
  expect(requests()).toEqual(['GET /search/', `PUT /search${TEMPLATE}`, 'POST /search/_bulk']);
});

test('what is no such server is not sent to', async () => {
  const { send } = await openSink({ hello: 'world' }, { template: {} });
  expect(await send()).toMatchObject({ kind: 'retry', cause: 'error' });
});

test.each([
  ['flows-%Y.%m.%d', 'flows-*'],
  ['flows-{log_type}-%Y.%m', 'flows-*'],
  ['{log_type}', 'x*'],
  ['flows', 'flows'],
])('the pattern of %s', async (index, pattern) => {
  const name = index.startsWith('{') ? `x${index}` : index;
  const { send, server } = await openSink(OPENSEARCH, { mode: 'index', index: name, template: {} });
  await send();
  const installed = server.all.find(({ method }) => method === 'PUT')!;
  expect(JSON.parse(installed.body).index_patterns).toEqual([pattern]);
});
