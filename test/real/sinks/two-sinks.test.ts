import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AgentProcess } from '../../helpers/agent-process.ts';
import { freePort } from '../../helpers/free-port.ts';
import { HttpFixture } from '../../sinks/http-fixture.ts';
import { OpenSearch } from '../servers/opensearch.ts';
import { allowedLine } from './allowed-line.ts';
import { wayTo } from './way.ts';

const INDEX = 'logs-latency-default';
const LINES = 400;
const LINE_EVERY_MS = 20;
/** How much slower the median may be before it is no longer the machine that is to blame. */
const SLOWER_MAX = 3;
const SLACK_MS = 100;

let server: OpenSearch;
beforeAll(async () => {
  server = await OpenSearch.start();
});
afterAll(() => server.close());

test('sinks that are dead all the time do not slow down another', async () => {
  const stalled = new HttpFixture();
  await stalled.start();
  stalled.react = () => ({ kind: 'stall' });
  const dead = [
    { name: 'unreachable', type: 'http', url: `http://127.0.0.1:${await freePort()}/` },
    { name: 'stalled', type: 'splunk_hec', url: stalled.origin, token: 't', request_timeout: '1s' },
  ];
  // The first round is for the server, which makes its index and is slow while it is young.
  await latenciesOf([]);
  const alone = await latenciesOf([]);
  const beside = await latenciesOf(dead);
  expect(await server.ids(INDEX)).toHaveLength(3 * LINES);
  console.log(JSON.stringify({ fromLineToServerMs: { alone, besideTwoDeadSinks: beside } }));
  expect(stalled.all.length).toBeGreaterThan(0);
  expect(beside.p50).toBeLessThan(alone.p50 * SLOWER_MAX + SLACK_MS);
  await stalled.kill();
});

/** How long it takes from a line's writing until the server has its document, with the built agent. */
async function latenciesOf(others: readonly object[]) {
  const dir = mkdtempSync(join(tmpdir(), 'two-sinks-'));
  const log = join(dir, 'policy_action.log');
  writeFileSync(log, '');
  const way = await wayTo(server.origin);
  const latenciesMs: number[] = [];
  way.react = ({ path, body }) => {
    if (path.startsWith('/_bulk')) {
      for (const [, time] of body.matchAll(/"@timestamp":"([^"]*)"/g))
        latenciesMs.push(Date.now() - Date.parse(time!));
    }
    return { kind: 'forward' };
  };
  const search = {
    name: 'search',
    type: 'elasticsearch',
    url: way.origin,
    index: INDEX,
    template: { replicas: 0 },
  };
  const agent = new AgentProcess(dir, {
    node: 'node-1',
    inputs: [{ type: 'file', format: 'policy_action', paths: [log], poll_interval: '20ms' }],
    state: { path: join(dir, 'state') },
    sinks: [{ ...search, batch: { age_max: '0ms' } }, ...others],
    http: { listen: '127.0.0.1:0' },
  });
  await agent.ready();
  let written = 0;
  for await (const _ of setInterval(LINE_EVERY_MS)) {
    appendFileSync(log, allowedLine(written++));
    if (written === LINES) break;
  }
  const delivered = () =>
    agent.metric('policy_log_agent_sink_records_total', { sink: 'search', outcome: 'delivered' });
  await expect.poll(delivered, { timeout: 30_000, interval: 100 }).toBe(LINES);
  await agent.kill();
  await way.kill();
  rmSync(dir, { recursive: true, force: true });
  latenciesMs.sort((a, b) => a - b);
  const quantile = (share: number) => latenciesMs[Math.floor(share * (latenciesMs.length - 1))]!;
  return { p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), max: quantile(1) };
}
