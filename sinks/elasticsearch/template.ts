import type { ElasticsearchSinkOptions } from '../../agent/config/sinks/elasticsearch.ts';
import { indexPattern } from './index-name.ts';

/** What the kinds of servers differ in. */
export interface Server {
  /** What deletes old records there. */
  readonly lifecycle: 'data_stream' | 'ilm' | 'ism';
  /** The type for objects of any depth whose leaves are keywords. */
  readonly flatType: 'flattened' | 'flat_object';
}

type Options = Pick<ElasticsearchSinkOptions, 'mode' | 'index' | 'template'>;

/** Above the templates that come with the servers, as their vendors want it for templates of others. */
const PRIORITY = 500;
const META = { managed_by: 'policy-log-agent' };

/** The name of everything that is installed for an index. */
export function templateName(index: string): string {
  return `policy-log-agent-${indexPattern(index).replaceAll('*', 'any')}`;
}

/** The body of `PUT _index_template`. */
export function indexTemplate({ mode, index, template }: Options, { lifecycle, flatType }: Server): object {
  const { shards, replicas, retention } = template ?? {};
  return {
    index_patterns: [indexPattern(index)],
    priority: PRIORITY,
    ...(mode === 'data_stream' && { data_stream: {} }),
    _meta: META,
    template: {
      settings: {
        // A value of another kind than the field's is kept and not searchable, instead of refusing its record.
        'index.mapping.ignore_malformed': true,
        ...(shards !== undefined && { 'index.number_of_shards': shards }),
        ...(replicas !== undefined && { 'index.number_of_replicas': replicas }),
        ...(retention !== undefined &&
          lifecycle === 'ilm' && { 'index.lifecycle.name': templateName(index) }),
      },
      mappings: mappings(flatType),
      ...(retention !== undefined &&
        lifecycle === 'data_stream' && { lifecycle: { data_retention: timeOf(retention) } }),
    },
  };
}

/** Text is for exact search, addresses for search by network, times for ranges with all their digits. */
function mappings(flatType: Server['flatType']): object {
  const time = { type: 'date_nanos' };
  return {
    date_detection: false,
    dynamic_templates: [
      { addresses: { match: '*_ip', match_mapping_type: 'string', mapping: { type: 'ip' } } },
      { instances: { match: 'instance', match_mapping_type: 'string', mapping: { type: 'ip' } } },
      { ecs_addresses: { path_match: '*.ip', match_mapping_type: 'string', mapping: { type: 'ip' } } },
      { texts: { match_mapping_type: 'string', mapping: { type: 'keyword', ignore_above: 1024 } } },
    ],
    properties: {
      '@timestamp': { type: 'date_nanos', ignore_malformed: false },
      timestamp: time,
      last_timestamp: time,
      message: { type: 'text' },
      body: { type: flatType },
    },
  };
}

/** The body of `PUT _ilm/policy`. */
export function ilmPolicy({ mode, template }: Options): object {
  const { retention = 0, rollover } = template ?? {};
  const actions =
    mode === 'data_stream' && rollover
      ? {
          rollover: { max_age: timeOf(rollover.age_max), max_primary_shard_size: `${rollover.size_max}b` },
        }
      : {};
  return {
    policy: {
      _meta: META,
      phases: {
        hot: { min_age: '0ms', actions },
        delete: { min_age: timeOf(retention), actions: { delete: {} } },
      },
    },
  };
}

/** The body of `PUT _plugins/_ism/policies`; its description says all that can be configured of it. */
export function ismPolicy({ mode, index, template }: Options) {
  const { retention = 0, rollover } = template ?? {};
  const age = timeOf(retention);
  const isRolledOver = mode === 'data_stream' && rollover !== undefined;
  const action = isRolledOver && {
    min_index_age: timeOf(rollover.age_max),
    min_primary_shard_size: `${rollover.size_max}b`,
  };
  const when = action ? `, rolls over at ${action.min_index_age} or ${action.min_primary_shard_size}` : '';
  const condition = isRolledOver ? { min_rollover_age: age } : { min_index_age: age };
  return {
    policy: {
      description: `Installed by policy-log-agent: deletes after ${age}${when}`,
      default_state: 'hot',
      ism_template: [{ index_patterns: [indexPattern(index)], priority: PRIORITY }],
      states: [
        {
          name: 'hot',
          actions: action ? [{ rollover: action }] : [],
          transitions: [{ state_name: 'delete', conditions: condition }],
        },
        { name: 'delete', actions: [{ delete: {} }], transitions: [] },
      ],
    },
  };
}

const TIME_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** A time as the servers write it: `30d`, `36h`. */
function timeOf(ms: number): string {
  const [unit, factor] = TIME_UNITS.find(([, length]) => ms % length === 0) ?? ['ms', 1];
  return `${ms / factor}${unit}`;
}
