import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { AGENT_PATH } from '../helpers/agent-child.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { memory } from './process-cost.ts';

// `npm run size`: how large the bundle is, and what the agent holds in memory while its one file is quiet.

/** After this nothing of the start is under way any more. */
const REST_MS = 5_000;

const MIB = 1024 ** 2;
const folder = mkdtempSync(join(tmpdir(), 'size-'));
const paths = [join(folder, 'policy_action.log')];
writeFileSync(paths[0]!, '');
const agent = new AgentProcess(folder, {
  inputs: [{ type: 'file', format: 'policy_action', paths }],
  state: { path: join(folder, 'state') },
  sinks: [{ name: 'records', type: 'file', path: join(folder, 'records.ndjson') }],
  http: { listen: '127.0.0.1:0' },
});
try {
  await agent.ready();
  await sleep(REST_MS);
  const { rssBytes, anonymousBytes } = memory(agent.pid);
  const bundle = Buffer.concat(
    globSync(join(dirname(AGENT_PATH), '**/*.mjs')).map((path) => readFileSync(path)),
  );
  process.stdout.write(
    `bundle: ${bundle.length} bytes (${gzipSync(bundle).length} with gzip)\n` +
      `RSS at rest: ${(rssBytes / MIB).toFixed(1)} MiB, of which ${(anonymousBytes / MIB).toFixed(1)} MiB is its own\n`,
  );
} finally {
  await agent.stop();
  rmSync(folder, { recursive: true });
}
