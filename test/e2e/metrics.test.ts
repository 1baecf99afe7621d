import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess } from '../helpers/agent-process.ts';

const LINE =
  'kernel: [ 100.000001] calico-packet: IN=cali0123456789a OUT=eth0 MAC= SRC=10.0.0.1 DST=10.0.0.2 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=1 DF PROTO=TCP SPT=40000 DPT=443 WINDOW=64240 RES=0x00 SYN URGP=0 ';

describe('what the agent says of itself', () => {
  const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-metrics-'));
  const file = join(dir, 'syslog');
  let agent: AgentProcess;
  let url: string;

  beforeAll(async () => {
    writeFileSync(file, '');
    agent = new AgentProcess(dir, {
      inputs: [{ type: 'file', format: 'syslog', paths: [file] }],
      state: { path: join(dir, 'state') },
      aggregate: { dispositions: [] },
      sinks: [{ name: 'out', type: 'stdout' }],
      http: { listen: '127.0.0.1:0' },
    });
    url = await agent.ready();
    const stamp = new Date().toISOString();
    appendFileSync(
      file,
      `${stamp} node-1 ${LINE}\n${stamp} node-1 sshd[1]: hello\n${stamp} node-1 ${LINE.slice(0, 60)}\n`,
    );
    await agent.stdout.until('the record', (lines) => lines.length === 1);
  });

  afterAll(async () => {
    await agent.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('counts each line in its class', async () => {
    const input = { input: 'syslog' };
    expect(await agent.metric('policy_log_agent_input_lines_total', input)).toBe(3);
    expect(await agent.metric('policy_log_agent_records_total', input)).toBe(1);
    expect(await agent.metric('policy_log_agent_foreign_lines_total', input)).toBe(1);
    expect(await agent.metric('policy_log_agent_unparsable_lines_total', input)).toBe(1);
    expect(
      await agent.metric('policy_log_agent_sink_records_total', { sink: 'out', outcome: 'delivered' }),
    ).toBe(1);
  });

  it('counts bytes and files, and shows a line that cannot be read', async () => {
    expect(await agent.metric('policy_log_agent_input_bytes_total')).toBeGreaterThan(200);
    expect(await agent.metric('policy_log_agent_input_file_events_total', { event: 'opened' })).toBe(1);
    const shown = agent.log.items.filter(({ reason }) => reason === 'truncated');
    expect(shown).toMatchObject([
      { level: 'warn', input: 'syslog', line: expect.stringContaining('calico-packet') },
    ]);
  });

  it('writes metrics that promtool accepts', async ({ skip }) => {
    if (spawnSync('promtool', ['--version']).error) skip('promtool is not installed (package prometheus)');
    const text = await (await fetch(`${url}/metrics`)).text();
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(checked.stderr + checked.stdout).toBe('');
    expect(checked.status).toBe(0);
  });

  it('is alive and ready', async () => {
    for (const path of ['/healthz', '/readyz']) expect((await fetch(url + path)).status, path).toBe(200);
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
  });
});
