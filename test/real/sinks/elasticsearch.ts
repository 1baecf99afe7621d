import type { Conformance, Destination } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { versions } from '../cache.ts';
import type { OpenSearch } from '../servers/opensearch.ts';
import { FAULTS_ON_THE_WAY, first, killAt, type OnTheWay, outage, wayTo } from './way.ts';

interface ElasticsearchDestination extends Destination, OnTheWay {
  readonly stream: string;
}

/** A data stream of its own in a real OpenSearch, for each behaviour. */
export function elasticsearchConformance(server: () => OpenSearch): Conformance<ElasticsearchDestination> {
  let streams = 0;
  return {
    name: 'elasticsearch',
    destination: `OpenSearch ${versions.OPENSEARCH}`,
    guarantee: 'exactly once',
    async create() {
      const way = await wayTo(server().origin);
      const stream = `logs-conformance.${++streams}-default`;
      // Not by the sink: faults are to meet the requests that bring records.
      await server().ask('PUT', '/_index_template/conformance', streamTemplate('logs-conformance.*', 600));
      return {
        stream,
        way,
        config: configure({
          type: 'elasticsearch',
          url: way.origin,
          index: stream,
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
      ...FAULTS_ON_THE_WAY,
      'refuses one record': async ({ stream }) => {
        await refuse(server(), stream, 'r123');
        return { refusedId: 'r123' };
      },
      throttles: ({ way }) => {
        const busy = { kind: 'answer', status: 429, headers: { 'retry-after': '1' } } as const;
        way.react = first([busy, { kind: 'answer', status: 200, body: tooMany(100) }, busy]);
      },
      'outage, 50,000 records waiting': () => outage(server()),
      'killed in mid-stream': ({ way }) => killAt(5, way, server()),
      'agent killed in mid-stream': () => {},
    },
  };
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
  const settings = { 'index.default_pipeline': 'refusing' };
  await server.ask('PUT', '/_index_template/refusing', streamTemplate(stream, 1000, settings));
}

function streamTemplate(pattern: string, priority: number, settings: object = {}): object {
  return {
    index_patterns: [pattern],
    priority,
    data_stream: {},
    template: { settings: { 'index.number_of_replicas': 0, ...settings } },
  };
}
