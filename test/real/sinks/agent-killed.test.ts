import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AgentProcess } from '../../helpers/agent-process.ts';
import { Random } from '../../helpers/random.ts';
import { OpenSearch } from '../servers/opensearch.ts';
import { allowedLine } from './allowed-line.ts';
import { FORWARD, wayTo } from './way.ts';

const KILLS = 20;
const LINES_PER_LIFE = 500;
/** It is killed with one of so many requests under way: before the server has it, or before the agent has the answer. */
const REQUESTS_MAX = 6;

let server: OpenSearch;
const dir = mkdtempSync(join(tmpdir(), 'agent-killed-'));
beforeAll(async () => {
  server = await OpenSearch.start();
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

test('an agent that is killed with requests under way loses nothing and repeats nothing', async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const random = new Random(seed);
  const log = join(dir, 'policy_action.log');
  writeFileSync(log, '');
  const way = await wayTo(server.origin);
  const index = 'logs-killed-default';
  const search = { name: 'search', type: 'elasticsearch', url: way.origin, index, template: { replicas: 0 } };
  const start = () =>
    new AgentProcess(dir, {
      node: 'node-1',
      inputs: [
        { type: 'file', format: 'policy_action', paths: [log], start: 'beginning', poll_interval: '20ms' },
      ],
      limit: { connections_per_second: 0 },
      state: { path: join(dir, 'state') },
      sinks: [{ ...search, batch: { records_max: 50, age_max: '0ms' } }],
      http: { listen: '127.0.0.1:0' },
    });
  let written = 0;
  const write = () => {
    appendFileSync(log, Array.from({ length: LINES_PER_LIFE }, () => allowedLine(written++)).join(''));
  };
  for (let life = 0; life < KILLS; life++) {
    const underWay = Promise.withResolvers<void>();
    let requests = random.below(REQUESTS_MAX);
    const isTaken = life % 2 === 0;
    way.react = ({ path }) => {
      if (!path.startsWith('/_bulk') || requests-- !== 0) return { kind: 'forward' };
      underWay.resolve();
      return { kind: isTaken ? 'forward' : 'stall' };
    };
    const agent = start();
    await agent.ready();
    write();
    await underWay.promise;
    await agent.kill();
  }
  way.react = () => FORWARD;
  const agent = start();
  await agent.ready();
  const waiting = () => agent.metric('policy_log_agent_sink_backlog_records');
  const read = () => agent.metric('policy_log_agent_input_lag_bytes');
  await expect.poll(async () => (await read()) + (await waiting()), { timeout: 60_000 }).toBe(0);
  expect((await agent.stop()).code).toBe(0);
  await way.kill();
  const ids = await server.ids(index);
  const figures = {
    seed,
    kills: KILLS,
    lines: written,
    lost: written - new Set(ids).size,
    repeated: ids.length - new Set(ids).size,
  };
  console.log(JSON.stringify(figures));
  expect(figures).toMatchObject({ lost: 0, repeated: 0 });
});
