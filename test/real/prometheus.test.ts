import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess } from '../helpers/agent-process.ts';
import { freePort } from '../helpers/free-port.ts';
import { MergedLines, NoiseLines, PacketLines, PolicyActionLines } from '../helpers/generate-lines.ts';

const LINES = 2000;
const POLL = { timeout: 30_000, interval: 200 };

// What /metrics says to those who read it.
describe('the metrics, scraped by Prometheus', () => {
  const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-metrics-'));
  let agent: AgentProcess;
  let prometheus: ChildProcess;
  let prometheusUrl: string;

  beforeAll(async () => {
    const times = { startUs: Date.now() * 1000, linesPerSecond: 100 };
    const packets = new PacketLines({ ...times, seed: 1, conversations: 10 });
    const noise = new NoiseLines({ ...times, seed: 2, envelope: 'rfc3339' });
    write('syslog', new MergedLines([packets, noise]), 'calico-packet: IN=eth0 OUT=\n');
    write('policy_action.log', new PolicyActionLines({ ...times, seed: 3 }), '{"connection": \n');
    agent = new AgentProcess(dir, {
      node: 'node-1',
      inputs: [
        { type: 'file', format: 'syslog', paths: [join(dir, 'syslog')], start: 'beginning' },
        {
          type: 'file',
          format: 'policy_action',
          paths: [join(dir, 'policy_action.log')],
          start: 'beginning',
        },
      ],
      state: { path: join(dir, 'state') },
      sinks: [{ name: 'records', type: 'file', path: join(dir, 'records.ndjson') }],
      http: { listen: '127.0.0.1:0' },
    });
    const target = new URL(await agent.ready()).host;
    const port = await freePort();
    prometheusUrl = `http://127.0.0.1:${port}`;
    const scrape = {
      job_name: 'agent',
      scrape_interval: '500ms',
      scrape_timeout: '500ms',
      static_configs: [{ targets: [target] }],
    };
    writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify({ scrape_configs: [scrape] }));
    const options = [
      'config.file=prometheus.yml',
      'storage.tsdb.path=tsdb',
      `web.listen-address=127.0.0.1:${port}`,
    ];
    prometheus = spawn(
      'prometheus',
      options.map((option) => `--${option}`),
      { cwd: dir, stdio: 'ignore' },
    );
    await once(prometheus, 'spawn');
  });

  afterAll(async () => {
    const exited = once(prometheus, 'exit');
    prometheus.kill('SIGTERM');
    await exited;
    await agent.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** A file of generated lines, the last of them broken. */
  function write(name: string, source: { next(): string }, broken: string): void {
    const lines = Array.from({ length: LINES - 1 }, () => source.next());
    writeFileSync(join(dir, name), [...lines, broken].join(''));
  }

  /** The value of a query that gives one sample, or undefined while it gives none. */
  async function query(expression: string): Promise<number | undefined> {
    const url = `${prometheusUrl}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const answer = (await (await fetch(url)).json()) as { data: { result: { value: [number, string] }[] } };
    const value = answer.data.result[0]?.value[1];
    return value === undefined ? undefined : Number(value);
  }

  it('count every line that was written', async () => {
    const lines = () => query('sum(policy_log_agent_input_lines_total)').catch(() => undefined);
    await expect.poll(lines, POLL).toBe(2 * LINES);
    expect(await query('up{job="agent"}')).toBe(1);
  });

  it('put every line into exactly one class, so that the sum of the classes is the lines', async () => {
    const classes = [
      'records',
      'merged_lines',
      'filtered_lines',
      'foreign_lines',
      'unparsable_lines',
      'dropped_lines',
    ];
    const sums = classes.map((name) => `(sum(policy_log_agent_${name}_total) or vector(0))`);
    const closed = () => query(`${sums.join(' + ')} + sum(policy_log_agent_open_windows)`);
    await expect.poll(closed, POLL).toBe(2 * LINES);
    await expect.poll(() => query('sum(policy_log_agent_open_windows)'), POLL).toBe(0);
    expect(await closed()).toBe(2 * LINES);
    expect(await query('sum(policy_log_agent_unparsable_lines_total)')).toBe(2);
    expect(await query('sum(policy_log_agent_foreign_lines_total)')).toBeGreaterThan(0);
  });
});
