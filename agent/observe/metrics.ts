import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Accounts, Tally } from './accounts.ts';
import { atScrape } from './at-scrape.ts';
import { PREFIX } from './names.ts';

/** The event-loop monitor wakes the process this often; at prom-client's default of 10 ms idle is not idle. */
const EVENT_LOOP_PRECISION_MS = 1000;
/** Gauges of prom-client with a counter's name, which Prometheus's own check refuses. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** What is counted elsewhere, and read only when somebody scrapes. */
export interface Observed {
  readonly version: string;
  accounts(): ReadonlyMap<string, Accounts>;
  /** Windows that are open now. */
  openWindows(): number;
  lag(): readonly { input: string; path: string; bytes: number }[];
}

/** The registry with the accounts, the inputs' lag, the build and Node's own metrics. */
export function createMetrics(observed: Observed): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
  for (const name of MISNAMED) registry.removeSingleMetric(name);

  new Gauge({
    name: `${PREFIX}build_info`,
    help: 'Always 1.',
    labelNames: ['version', 'node'],
    registers: [registry],
  })
    .labels(observed.version, process.version)
    .set(1);

  const { gauge, counter } = atScrape(registry);
  const lines = (name: string, help: string, value: (accounts: Accounts) => number) =>
    counter(name, help, ['input'], (report) => {
      for (const [input, accounts] of observed.accounts()) report({ input }, value(accounts));
    });
  const linesByReason = (name: string, help: string, tally: (accounts: Accounts) => Tally) =>
    counter(name, help, ['input', 'reason'], (report) => {
      for (const [input, accounts] of observed.accounts())
        for (const [reason, count] of tally(accounts).entries()) report({ input, reason }, count);
    });

  lines('input_lines_total', 'Physical lines read.', (of) => of.lines);
  lines('records_total', 'Lines that became records.', (of) => of.records);
  lines('merged_lines_total', 'Lines that merged into the record of another.', (of) => of.merged);
  lines('foreign_lines_total', 'Lines that are not about network policy.', (of) => of.foreign);
  lines('restored_windows_total', 'Windows that an earlier process had left open.', (of) => of.restored);
  linesByReason('filtered_lines_total', 'Lines that the selection refused.', (of) => of.filtered);
  linesByReason('unparsable_lines_total', 'Lines that should have been readable.', (of) => of.unparsable);
  linesByReason('dropped_lines_total', 'Lines that were understood and dropped.', (of) => of.dropped);

  gauge('open_windows', 'Windows that are open; each holds the line that opened it.', [], (report) =>
    report({}, observed.openWindows()),
  );
  gauge('input_lag_bytes', 'Bytes that are there and not yet read.', ['input', 'path'], (report) => {
    for (const { input, path, bytes } of observed.lag()) report({ input, path }, bytes);
  });
  return registry;
}
