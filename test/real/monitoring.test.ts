import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { AgentProcess } from '../helpers/agent-process.ts';
import { CHART } from './helm.ts';

const RULES = join(CHART, 'rules/alerts.yaml');
const DASHBOARDS = readdirSync(join(CHART, 'dashboards'));

const rules: { alert: string; expr: string }[] = parse(readFileSync(RULES, 'utf8')).groups.flatMap(
  (group: { rules: object[] }) => group.rules,
);
const panels: { dashboard: string; title: string; expr: string }[] = DASHBOARDS.flatMap((dashboard) =>
  JSON.parse(readFileSync(join(CHART, 'dashboards', dashboard), 'utf8')).panels.flatMap(
    ({ title, targets = [] }: { title: string; targets?: { expr: string }[] }) =>
      targets.map(({ expr }) => ({ dashboard, title, expr })),
  ),
);

const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-monitoring-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs promtool over a file; what it says where it refuses it, or nothing. */
function promtool(command: string[], file: string): string {
  const { status, stdout, stderr } = spawnSync('promtool', [...command, file], { encoding: 'utf8' });
  return status === 0 ? '' : stdout + stderr;
}

/** Has Prometheus's own rule engine run the rules over series, one sample a minute. */
function alertsAfter(minutes: number, series: Record<string, string>, alert: string, fires: boolean): string {
  const file = join(dir, 'test.yaml');
  const labels = 'namespace="logging",pod="agent-1"';
  const input = Object.entries(series).map(([name, values]) => {
    const [, metric, more] = /^(\w+)(?:\{(.*)\})?$/.exec(name)!;
    return { series: `policy_log_agent_${metric}{${[labels, more].filter(Boolean).join()}}`, values };
  });
  const query = `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`;
  const sample = { labels: '{}', value: fires ? 1 : 0 };
  const samples = { expr: query, eval_time: `${minutes}m`, exp_samples: [sample] };
  const test = { interval: '1m', input_series: input, promql_expr_test: [samples] };
  writeFileSync(file, stringify({ rule_files: [RULES], evaluation_interval: '1m', tests: [test] }));
  return promtool(['test', 'rules'], file);
}

describe('the alerts', () => {
  it('are rules that Prometheus takes', () => {
    expect(promtool(['check', 'rules'], RULES)).toBe('');
  });

  const failing = { 'sink_failures{sink="a"}': '1+1x60', 'sink_backlog_records{sink="a"}': '5x60' };
  const cases: [
    alert: string,
    minutes: number,
    fires: Record<string, string>,
    quiet: Record<string, string>,
  ][] = [
    ['SinkFailing', 20, failing, { ...failing, 'sink_failures{sink="a"}': '1+1x10 0x50' }],
    ['OutboxOld', 70, { outbox_oldest_seconds: '0+60x80' }, { outbox_oldest_seconds: '0+60x50 0x30' }],
    [
      'RecordsRefused',
      10,
      { 'sink_records_total{sink="a",outcome="refused"}': '0 0 0 3x20' },
      { 'sink_records_total{sink="a",outcome="delivered"}': '0+10x20' },
    ],
    [
      'RecordsLost',
      10,
      { 'sink_dropped_records_total{sink="a"}': '0 0 5x20', outbox_lost_records_total: '0x20' },
      { 'sink_dropped_records_total{sink="a"}': '5x20', outbox_lost_records_total: '5x20' },
    ],
    [
      'LinesDropped',
      60,
      { 'dropped_lines_total{reason="limit"}': '0+1x70' },
      { 'dropped_lines_total{reason="limit"}': '0+1x10 10x60' },
    ],
    [
      'LinesUnparsable',
      30,
      { 'unparsable_lines_total{reason="torn"}': '0+2x40', input_lines_total: '0+100x40' },
      { 'unparsable_lines_total{reason="torn"}': '0+2x40', input_lines_total: '0+1000x40' },
    ],
    ['Behind', 30, { input_lag_bytes: '1e8x40' }, { input_lag_bytes: '1e6x40' }],
    [
      'NamesMissing',
      40,
      { 'kubernetes_synced{resource="pods"}': '0x50', 'kubernetes_age_seconds{resource="pods"}': '0x50' },
      { 'kubernetes_synced{resource="pods"}': '1x50', 'kubernetes_age_seconds{resource="pods"}': '0+10x50' },
    ],
    [
      'ConfigRefused',
      10,
      { config_last_reload_successful: '0x20' },
      { config_last_reload_successful: '1x20' },
    ],
    [
      'ConfigDiffers',
      40,
      { 'config_info{hash="1"}': '1x60', 'config_info{hash="2"}': '1x60' },
      { 'config_info{hash="1"}': '1x60', 'config_info{hash="2"}': '1x10' },
    ],
  ];

  it('are all tried here', () => {
    expect(rules.map(({ alert }) => alert)).toEqual(cases.map(([alert]) => `PolicyLogAgent${alert}`));
  });

  it.each(cases)('%s fires when it should, and not otherwise', (alert, minutes, fires, quiet) => {
    expect(alertsAfter(minutes, fires, `PolicyLogAgent${alert}`, true)).toBe('');
    expect(alertsAfter(minutes, quiet, `PolicyLogAgent${alert}`, false)).toBe('');
  });
});

describe('what alerts and dashboards ask for', () => {
  let metrics = '';

  beforeAll(async () => {
    const agent = new AgentProcess(dir, {
      inputs: [{ type: 'file', format: 'syslog', paths: [join(dir, 'syslog')] }],
      enrich: { kubernetes: { enabled: true, url: 'http://127.0.0.1:1', jitter: '0ms', sync_wait: '0ms' } },
      state: { path: join(dir, 'state') },
      sinks: [{ name: 'out', type: 'stdout' }],
      http: { listen: '127.0.0.1:0' },
    });
    metrics = await (await fetch(`${await agent.ready()}/metrics`)).text();
    await agent.stop();
  });

  const asked = [
    ...rules.map(({ alert, expr }) => ({ what: alert, expr })),
    ...panels.map(({ dashboard, title, expr }) => ({ what: `${dashboard}: ${title}`, expr })),
  ];

  it.each(asked)('is what the agent has, in $what', ({ expr }) => {
    const names = expr.match(/\b(?:policy_log_agent|process|nodejs)_\w+/g) ?? [];
    expect(names.length).toBeGreaterThan(0);
    for (const name of names)
      expect(metrics).toMatch(new RegExp(`^# TYPE ${name.replace(/_bucket$/, '')} `, 'm'));
  });

  it('are expressions that Prometheus takes', () => {
    const file = join(dir, 'panels.yaml');
    const expressions = panels.map(({ expr }, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*'),
    }));
    writeFileSync(file, stringify({ groups: [{ name: 'panels', rules: expressions }] }));
    expect(promtool(['check', 'rules'], file)).toBe('');
  });
});
