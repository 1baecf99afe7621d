/**
 * Bytes that an hour of traffic takes at each level of aggregation, as newline-delimited JSON.
 *
 *     node test/bench/aggregation.ts [CONNECTIONS [SEED]]
 */
import { gzipSync } from 'node:zlib';
import { Pipeline } from '../../agent/pipeline.ts';
import { FlowView } from '../helpers/model-flow.ts';
import { modelHour } from '../helpers/model-hour.ts';
import { stagesConfig } from '../helpers/stages-run.ts';
import { windowJson } from '../helpers/window-json.ts';

const all = ['allow', 'deny', 'unknown'];
const LEVELS: readonly [what: string, aggregate: object][] = [
  ['none', { dispositions: [] }],
  ['connection, 5 s, denials (default)', {}],
  ['connection, 10 min, all', { dispositions: all, window: '10m' }],
  ['pod, 1 min, all', { dispositions: all, window: '1m', level: 'pod' }],
  ['pod, 10 min, all', { dispositions: all, window: '10m', level: 'pod' }],
  ['workload, 1 min, all', { dispositions: all, window: '1m', level: 'workload' }],
  ['workload, 10 min, all', { dispositions: all, window: '10m', level: 'workload' }],
];

const [connections = 120_000, seed = 1] = process.argv.slice(2).map(Number);
const flows = modelHour(connections, seed);
console.log(`${flows.length} connections in an hour, seed ${seed}\n`);
console.log('| level | records | bytes | less than none | gzip, less than none |');
console.log('|---|---:|---:|---:|---:|');
let none = { bytes: 0, packed: 0 };
for (const [what, aggregate] of LEVELS) {
  const lines: string[] = [];
  const stages = new Pipeline(
    stagesConfig({
      aggregate: { keys_max: 1_000_000, ...aggregate },
      limit: { connections_per_second: 0 },
    }),
    {
      record: (json) => lines.push(json),
      window: (window) => lines.push(windowJson(window)),
      line: (line, id, enricher) => {
        const record = line.toRecord(id.toString());
        enricher.enrich(record, line.timeUs);
        lines.push(JSON.stringify(record));
      },
      summary: () => {},
    },
  );
  const view = new FlowView();
  let counted = 0;
  for (const [index, flow] of flows.entries()) {
    stages
      .input('policy_action')
      .process(view.of(flow), () => Buffer.from(`f3b0c44298fc1c14-${index.toString(16)}`));
  }
  stages.closeAll();
  for (const line of lines) counted += (JSON.parse(line) as { count: number }).count;
  if (counted !== flows.length) throw new Error(`${what}: the records count ${counted} connections`);
  const text = Buffer.from(`${lines.join('\n')}\n`);
  const size = { bytes: text.length, packed: gzipSync(text, { level: 6 }).length };
  if (what === 'none') none = size;
  const less = (one: number, of: number) => `${(100 * (1 - one / of)).toFixed(1)} %`;
  console.log(
    `| ${what} | ${lines.length.toLocaleString('en')} | ${size.bytes.toLocaleString('en')} | ${less(size.bytes, none.bytes)} | ${less(size.packed, none.packed)} |`,
  );
}
