import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { AgentProcess } from '../helpers/agent-process.ts';
import { MountedConfig } from '../helpers/mounted-config.ts';
import { RecordServer } from '../helpers/record-server.ts';

const SWAPS = 100;
/** Three in ten must be refused. */
const isBroken = (swap: number) => [2, 5, 8].includes(swap % 10);
/** Ways to be wrong, in turn. */
const BREAKS: ((config: object) => string)[] = [
  (config) => stringify({ ...config, colour: 'blue' }),
  (config) => `${stringify(config)}  torn: [`,
  (config) => stringify({ ...config, sinks: [{ name: 'server', type: 'htpp' }] }),
  () => '',
];
const LINES_PER_SECOND = 1000;
const TICK_MS = 10;

const line = (number: number) =>
  `${JSON.stringify({
    connection: {
      src_ip: '10.84.0.2',
      dest_ip: number % 2 === 0 ? '10.84.0.3' : `10.84.1.${number % 50}`,
      src_port: 1024 + (number % 60_000),
      dest_port: 80,
      protocol: 'tcp',
      direction: 'ingress',
    },
    disposition: number % 2 === 0 ? 'allow' : 'deny',
    src: { pod_name: `pod-${number}`, namespace: 'default' },
    dest: { instance: '10.84.0.3' },
    count: 1,
    node_name: 'node-1',
    timestamp: new Date().toISOString(),
  })}\n`;

describe('a ConfigMap that changes under load', () => {
  const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-reload-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('is applied without losing or repeating a record; a wrong one changes nothing', async () => {
    const server = new RecordServer();
    const url = await server.listen();
    const log = join(dir, 'policy_action.log');
    writeFileSync(log, '');
    // Each differs from the last in a sink, in the windows' length, and in an input.
    const config = (swap: number) => ({
      node: 'node-1',
      inputs: [{ type: 'file', format: 'policy_action', paths: [log], poll_interval: `${20 + swap}ms` }],
      limit: { connections_per_second: 0 },
      aggregate: { window: swap % 2 === 0 ? '1s' : '2s', grace: '500ms' },
      state: { path: join(dir, 'state') },
      sinks: [
        { name: 'archive', type: 'file', path: join(dir, 'records.ndjson') },
        { name: 'server', type: 'http', url: `${url}?swap=${swap}` },
      ],
      http: { listen: '127.0.0.1:0' },
    });
    const mounted = new MountedConfig(join(dir, 'mounted'), stringify(config(0)));
    const agent = new AgentProcess(dir, mounted.file);
    await agent.ready();

    let written = 0;
    const startedMs = Date.now();
    const ticking = setInterval(() => {
      const due = Math.floor(((Date.now() - startedMs) * LINES_PER_SECOND) / 1000);
      let text = '';
      while (written < due) text += line(written++);
      appendFileSync(log, text);
    }, TICK_MS);

    const said = (part: string) => agent.log.items.filter(({ msg }) => msg.includes(part)).length;
    let broken = 0;
    for (let swap = 1; swap <= SWAPS; swap++) {
      if (isBroken(swap)) {
        mounted.swap(BREAKS[broken++ % BREAKS.length]!(config(swap)));
        await agent.log.until(`swap ${swap} is refused`, () => said('is refused') === broken);
      } else {
        mounted.swap(stringify(config(swap)));
        await agent.log.until(`swap ${swap} is applied`, () => said('is in force') === swap - broken);
      }
    }
    clearInterval(ticking);
    const last = isBroken(SWAPS) ? 0 : 1;
    expect(await agent.metric('policy_log_agent_config_last_reload_successful')).toBe(last);
    expect(await agent.metric('policy_log_agent_config_reloads_total', { outcome: 'refused' })).toBe(broken);

    const counted = (records: readonly { count: number }[]) =>
      records.reduce((sum, { count }) => sum + count, 0);
    await server.records.until('every line is counted', (records) => counted(records) >= written);
    expect((await agent.stop()).code).toBe(0);
    const archived = readdirSync(dir)
      .filter((name) => name.startsWith('records.ndjson'))
      .flatMap((name) => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n'))
      .map((text) => JSON.parse(text));
    for (const records of [archived, server.records.items]) {
      const figures = {
        swaps: SWAPS,
        refused: broken,
        lines: written,
        records: records.length,
        lost: written - counted(records),
        repeated: records.length - new Set(records.map(({ id }) => id)).size,
      };
      console.log(JSON.stringify(figures));
      expect(figures).toMatchObject({ lost: 0, repeated: 0 });
    }
    await server.close();
  });
});
