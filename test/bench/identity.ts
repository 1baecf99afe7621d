import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AddressBook } from '../../agent/kubernetes/address-book.ts';
import { Pods } from '../../agent/kubernetes/pods.ts';
import { Resolver } from '../../agent/kubernetes/resolver.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { podAddress, podJson } from '../helpers/pod-json.ts';
import { simulateAgents } from './many-agents.ts';
import { cpuSeconds, memory } from './process-cost.ts';

// `node test/bench/identity.ts`: what it costs the agent, and the API server, to know who had an address. It prints; it
// judges nothing.

const PODS_PER_NODE = 110;
const MIB = 1024 ** 2;
const KEEP_US = 600e6;
const ASKED = 2_000_000;
/** After this nothing of the start is under way any more. */
const REST_MS = 3_000;
const LOOK_MS = 500;

function row(...cells: (string | number)[]): void {
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(13)).join('')}\n`);
}

async function podServer(pods: number): Promise<{ url: string; process: ChildProcess }> {
  const args = [String(pods), String(PODS_PER_NODE)];
  const server = fork(join(import.meta.dirname, 'pod-server.ts'), args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  server.stdout!.setEncoding('utf8');
  const [url] = (await once(server.stdout!, 'data')) as [string];
  return { url: url.trim(), process: server };
}

/** The built agent with one quiet input. */
async function measureAgent(pods: number, scope: string | undefined): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'identity-'));
  const log = join(folder, 'syslog');
  writeFileSync(log, '');
  const server = await podServer(pods);
  const kubernetes = {
    enabled: true,
    scope,
    url: server.url,
    jitter: '0ms',
    sync_wait: '10m',
    token_file: '/none',
  };
  const agent = new AgentProcess(folder, {
    node: 'ip-10-0-0-0.example.internal',
    inputs: [{ type: 'file', format: 'syslog', paths: [log] }],
    ...(scope && { enrich: { kubernetes } }),
    state: { path: join(folder, 'state') },
    sinks: [{ name: 'records', type: 'file', path: join(folder, 'records.ndjson') }],
    http: { listen: '127.0.0.1:0' },
  });
  try {
    await agent.ready();
    const metric = (name: string) => agent.metric(`policy_log_agent_kubernetes_${name}`);
    const wanted = scope === undefined ? 0 : scope === 'node' ? 1 : 3;
    while ((await metric('synced')) < wanted) await sleep(LOOK_MS);
    const cpu = cpuSeconds(agent.pid);
    await sleep(REST_MS);
    const { rssBytes, anonymousBytes } = memory(agent.pid);
    row(
      scope ?? 'off',
      scope ? pods : '-',
      (rssBytes / MIB).toFixed(1),
      (anonymousBytes / MIB).toFixed(1),
      cpu.toFixed(1),
      await metric('requests_total'),
      ((await metric('received_bytes_total')) / MIB).toFixed(1),
    );
  } finally {
    await agent.stop();
    server.process.disconnect();
    rmSync(folder, { recursive: true });
  }
}

/** One look at who had an address: of few addresses in turn, as traffic has them, and of many. */
function measureLook(pods: number): void {
  const book = new AddressBook(KEEP_US, 1000);
  const options = { node: 'none', keepUs: KEEP_US, podsMax: pods, labels: [], keepsAllLabels: false };
  const store = new Pods(options, book);
  const nowUs = Date.now() * 1000;
  for (let number = 0; number < pods; number++) store.put(JSON.parse(podJson(number)), nowUs);
  const resolver = new Resolver(store, book, KEEP_US);
  const costs = [512, 4096].map((active) => {
    const texts = Array.from({ length: active }, (_, i) => Buffer.from(podAddress((i * 7919) % pods)));
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) {
      let found = 0;
      const begun = process.cpuUsage();
      for (let i = 0; i < ASKED; i++) {
        // As a line has it: a text of its own, whose hash is not known yet.
        const address = texts[i % active]!.toString('latin1');
        if (typeof resolver.find(address, 'cali01234567890', nowUs + 5e6) === 'object') found += 1;
      }
      const { user, system } = process.cpuUsage(begun);
      if (found !== ASKED) throw new Error(`${ASKED - found} addresses were not found`);
      best = Math.min(best, ((user + system) * 1000) / ASKED);
    }
    return best.toFixed(0);
  });
  row(pods, ...costs);
}

const size = Buffer.byteLength(podJson(1));
process.stdout.write(`The agent at rest; ${PODS_PER_NODE} pods on each node, ${size} bytes each\n`);
row('scope', 'pods', 'RSS MiB', 'own MiB', 'CPU s', 'requests', 'received MiB');
await measureAgent(0, undefined);
for (const scope of ['node', 'cluster'])
  for (const pods of [10_000, 100_000]) await measureAgent(pods, scope);

process.stdout.write('\nOne look at who had an address, with the text that it takes\n');
row('pods', '512 active ns', '4096 active');
for (const pods of [100, 10_000, 100_000]) measureLook(pods);

process.stdout.write('\n5,000 agents, scope node: all start at once; then the API server is away for 10 s\n');
row('jitter', 'takes/s', '', 'peak/s', 'all after s', 'requests', 'refused');
for (const [jitterMs, perSecondMax] of [
  [0, 100_000],
  [5_000, 100_000],
  [60_000, 100_000],
  [5_000, 500],
  [60_000, 500],
] as const) {
  const { start, back } = await simulateAgents(5_000, jitterMs, perSecondMax, 10_000);
  for (const [what, one] of [
    ['start', start],
    ['back', back],
  ] as const) {
    row(
      `${jitterMs / 1000} s`,
      perSecondMax,
      what,
      one.peakPerSecond,
      one.seconds.toFixed(1),
      one.requests,
      one.refused,
    );
  }
}
