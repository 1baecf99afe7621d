import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Agent } from '../../agent/agent.ts';
import { parseConfig } from '../../agent/config/load.ts';
import { formatOf } from '../../agent/formats.ts';
import type { Input } from '../../agent/inputs/types.ts';
import { Intake } from '../../agent/intake.ts';
import type { Logger } from '../../agent/observe/log.ts';
import { RecordBuffer } from '../../agent/record-buffer.ts';
import { memoryLog, openAt, tempFolder } from './outbox/helpers.ts';

const POLL_MS = 400;
const HOUR_MS = 3_600_000;
const CONFIG = `
inputs: [{type: file, format: policy_action, paths: [/log]}]
sinks: [{name: out, type: stdout}]
`;

/** An agent with one input that is always quiet, and when it was looked at. */
function quietAgent(pollMs = POLL_MS) {
  const loaded = parseConfig(CONFIG, {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { config } = loaded;
  const { name } = config.inputs[0]!;
  const format = formatOf(config.inputs[0]!, { config, node: 'n', timezone: 'UTC', bootTimeUs: undefined });
  const records = new RecordBuffer();
  const polledMs: number[] = [];
  const input: Input = {
    name,
    poll: (nowMs) => {
      polledMs.push(nowMs);
      return 0;
    },
    nextPollMs: () => pollMs,
    checkpoints: () => ({ put: [], forget: [] }),
    lag: () => [],
    close: () => {},
  };
  const turnedMs: number[] = [];
  const agent = new Agent({
    inputs: [input],
    intake: new Intake(config, new Map([[name, format]]), records, {}),
    deliveries: [],
    records,
    outbox: openAt(join(tempFolder(), 'state.db')),
    log: memoryLog() as unknown as Logger,
    shutdownTimeoutMs: 0,
    turn: (nowMs) => turnedMs.push(nowMs),
    read: () => {},
    started: () => {},
  });
  return { agent, polledMs, turnedMs };
}

/** Runs it until the test ends, on a clock of the test's. */
function run(agent: Agent): void {
  vi.useFakeTimers();
  const stop = new AbortController();
  const ended = agent.run(stop.signal, false);
  onTestFinished(async () => {
    stop.abort();
    await ended;
    vi.useRealTimers();
  });
}

test('a clock that is set back does not put reading off', async () => {
  const { agent, polledMs } = quietAgent();
  run(agent);
  await vi.advanceTimersByTimeAsync(2 * POLL_MS);
  expect(polledMs.length).toBe(3);
  vi.setSystemTime(Date.now() - HOUR_MS);
  await vi.advanceTimersByTimeAsync(2 * POLL_MS);
  expect(polledMs.length).toBe(5);
});

test('the loop turns once a second, however seldom the inputs are looked at', async () => {
  const { agent, polledMs, turnedMs } = quietAgent(60_000);
  run(agent);
  await vi.advanceTimersByTimeAsync(3000);
  expect(turnedMs.length).toBe(4);
  expect(polledMs.length).toBe(1);
});
