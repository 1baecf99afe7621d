import type { Conformance, Destination } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { HttpFixture, type Reaction } from '../../sinks/http-fixture.ts';
import { versions } from '../cache.ts';
import type { OpenSearch } from '../servers/opensearch.ts';

const FORWARD: Reaction = { kind: 'forward' };

interface ElasticsearchDestination extends Destination {
  readonly stream: string;
  /** The faults before the server. */
  readonly way: HttpFixture;
}

/** A data stream of its own in a real OpenSearch, for each behaviour. */
export function elasticsearchConformance(server: () => OpenSearch): Conformance<ElasticsearchDestination> {
  let streams = 0;
  return {
    name: 'elasticsearch',
    destination: `OpenSearch ${versions.OPENSEARCH}`,
    guarantee: 'exactly once',
    async create() {
      const way = new HttpFixture();
      await way.start();
      way.upstream = server().origin;
      way.react = () => FORWARD;
      const stream = `logs-conformance.${++streams}-default`;
      return {
        stream,
        way,
        config: configure({
          type: 'elasticsearch',
          url: way.origin,
          index: stream,
          template: { replicas: 0 },
          request_timeout: '4s',
          retry: { backoff_min: '10ms', backoff_max: '100ms' },
          batch: { records_max: 100, age_max: '0ms' },
        }),
        received: () => server().ids(stream),
        close: async () => {
          await way.kill();
          await server().ask('DELETE', `/_data_stream/${stream}`);
        },
      };
    },
    faults: {
      accepts: () => {},
      'refuses one record': async ({ stream }) => {
        await refuse(server(), stream, 'r123');
        return { refusedId: 'r123' };
      },
      'is too small for a batch': ({ way }) => {
        way.react = ({ body }) => (body.length > 20_000 ? { kind: 'answer', status: 413 } : FORWARD);
      },
      throttles: ({ way }) => {
        const busy: Reaction = { kind: 'answer', status: 429, headers: { 'retry-after': '1' } };
        way.react = firstOfBulk([busy, { kind: 'answer', status: 200, body: tooMany(100) }, busy]);
      },
      'refuses credentials': ({ way }) => {
        way.react = first([
          { kind: 'answer', status: 401 },
          { kind: 'answer', status: 403 },
        ]);
      },
      stalls: ({ way }) => {
        way.react = first([{ kind: 'stall' }, { kind: 'stall' }]);
      },
      'resets mid-body': ({ way }) => {
        way.cutNext = 2;
        way.react = firstOfBulk([{ kind: 'forward_then_reset' }, { kind: 'forward_then_reset' }]);
      },
      'answers garbage': ({ way }) => {
        way.react = firstOfBulk([
          { kind: 'garbage' },
          { kind: 'torn_answer' },
          { kind: 'forward_then_reset' },
        ]);
      },
      'outage, 50,000 records waiting': async () => {
        await server().kill();
        return { end: () => server().restart() };
      },
      'killed in mid-stream': ({ way }) => {
        const down = async () => {
          await server().kill();
          await server().restart();
        };
        let seen = 0;
        way.react = () => {
          if (++seen === 5) void down();
          return FORWARD;
        };
      },
      'agent killed in mid-stream': () => {},
    },
  };
}

/** Reacts so to the first requests, and hands on the rest. */
function first(reactions: readonly Reaction[]): HttpFixture['react'] {
  let seen = 0;
  return () => reactions[seen++] ?? FORWARD;
}

/** As `first`, of those that bring records. */
function firstOfBulk(reactions: readonly Reaction[]): HttpFixture['react'] {
  const react = first(reactions);
  return (request) => (request.path.startsWith('/_bulk') ? react(request) : FORWARD);
}

/** An answer that gives back every record of a request. */
function tooMany(count: number): string {
  const error = { type: 'rejected_execution_exception', reason: 'queue capacity' };
  return JSON.stringify({ errors: true, items: Array(count).fill({ create: { status: 429, error } }) });
}

/** Makes the server refuse one record for good: a pipeline cannot convert it. */
async function refuse(server: OpenSearch, stream: string, id: string): Promise<void> {
  const convert = { field: 'src.namespace', type: 'integer', if: `ctx.id == '${id}'` };
  await server.ask('PUT', '/_ingest/pipeline/refusing', { processors: [{ convert }] });
  await server.ask('PUT', '/_index_template/refusing', {
    index_patterns: [stream],
    priority: 1000,
    data_stream: {},
    template: { settings: { 'index.default_pipeline': 'refusing', 'index.number_of_replicas': 0 } },
  });
}
