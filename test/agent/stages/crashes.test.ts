import { expect, test } from 'vitest';
import type { WindowRow } from '../../../agent/outbox/types.ts';
import type { Flow } from '../../helpers/model-flow.ts';
import { Random } from '../../helpers/random.ts';
import { StagesRun } from '../../helpers/stages-run.ts';

const T0 = 1_700_000_000_000_000;
const SEED = Number(process.env.CRASH_SEED ?? 7);

/** One transaction's worth: everything that a restart finds. */
class Store {
  readonly windows = new Map<number, WindowRow>();
  values = new Map<string, string>();
  readonly records: unknown[] = [];
  readonly summaries: unknown[] = [];
  line = 0;

  commit(run: StagesRun, line: number): void {
    const { put, delete: gone } = run.stages.takeChanges();
    // The opening is written once, so it must hold from the first row on.
    for (const row of put)
      this.windows.set(row.key, { ...row, opened: this.windows.get(row.key)?.opened ?? row.opened });
    for (const key of gone) this.windows.delete(key);
    this.values = new Map(run.stages.save());
    this.records.push(...run.records.splice(0));
    this.summaries.push(...run.summaries.splice(0));
    this.line = line;
  }
}

function pod(number: number) {
  const workload_name = `workload-${number % 20}`;
  return { pod_name: `${workload_name}-${number}`, namespace: 'default', workload_name };
}

function stream(random: Random, lines: number): { flow: Flow; input: string }[] {
  let timeUs = T0;
  return Array.from({ length: lines }, () => {
    timeUs += random.pick([0, 7, 900, 4000, 30_000, 30_000, 700_000, -500, -20_000]);
    return {
      input: random.chance(0.3) ? 'policy_action' : 'syslog',
      flow: {
        timeUs,
        timeDigits: random.pick([0, 6, 9]),
        src: `10.0.0.${random.below(60)}`,
        srcPort: 1024 + random.below(9000),
        destPort: random.pick([53, 443]),
        disposition: random.pick(['deny', 'unknown', 'allow'] as const),
        count: random.pick([1, 1, 1, 5]),
        packets: 1,
        bytes: 40 + random.below(1400),
        ...(random.chance(0.5) ? { extra: { src: pod(random.below(60)) } } : {}),
      },
    };
  });
}

const CONFIG = {
  limit: { connections_per_second: 40, burst: 30, share_max: 0.2 },
  aggregate: { keys_max: 45 },
};

test.each<[level: string, perSecond: number]>([
  ['connection', 40],
  ['pod', 40],
  ['workload', 2],
])('read at once, in commits, or across 20 crashes: the same records at level %s', (level, perSecond) => {
  const random = new Random(SEED);
  const lines = stream(random, 20_000);
  const limit = { ...CONFIG.limit, connections_per_second: perSecond, burst: perSecond };
  const config = { limit, aggregate: { ...CONFIG.aggregate, level } };

  const backlog = new StagesRun(config);
  for (const [index, { flow, input }] of lines.entries()) backlog.line(flow, input, `line-${index}`);
  backlog.stages.closeAll();
  expect(backlog.gap).toEqual({ lines: 0, records: 0 });
  expect(backlog.summaries.length).toBeGreaterThan(1);

  const crashes = new Set(Array.from({ length: 20 }, () => random.below(lines.length)));
  const store = new Store();
  let run = new StagesRun(config);
  let restarts = 0;
  for (let index = 0; index < lines.length; index += 1) {
    const { flow, input } = lines[index]!;
    run.line(flow, input, `line-${index}`);
    if (random.chance(0.01)) store.commit(run, index + 1);
    if (!crashes.delete(index)) continue;
    // Whatever was not committed is gone, and read again.
    restarts += 1;
    run = new StagesRun(config);
    run.restore([...store.windows.values()].reverse(), store.values);
    index = store.line - 1;
  }
  run.stages.closeAll();
  store.commit(run, lines.length);

  expect(restarts).toBeGreaterThanOrEqual(19);
  expect(store.windows.size).toBe(0);
  expect(store.records).toEqual(backlog.records);
  expect(store.summaries).toEqual(backlog.summaries);
});

test('read live, with the clock closing what is quiet, gives the same records', () => {
  const random = new Random(SEED);
  const lines = stream(random, 5000).map(({ flow, input }) => ({ flow: { ...flow }, input }));
  // Times that only go on, for a live reader's clock does; pauses long enough for windows to close by it.
  let timeUs = T0;
  for (const { flow } of lines) {
    timeUs += random.chance(0.02) ? 20_000_000 : random.below(400_000);
    flow.timeUs = timeUs;
  }
  const [backlog, live] = [new StagesRun(CONFIG), new StagesRun(CONFIG)];
  let clockUs = T0;
  let closedByClock = 0;
  for (const [index, { flow, input }] of lines.entries()) {
    backlog.line(flow, input, `line-${index}`);
    for (; clockUs < flow.timeUs; clockUs += 100_000) {
      const before = live.records.length;
      for (const name of ['syslog', 'policy_action']) live.stages.input(name).closeQuiet(clockUs);
      closedByClock += live.records.length - before;
    }
    live.line(flow, input, `line-${index}`);
  }
  for (const one of [backlog, live]) one.stages.closeAll();
  expect(closedByClock).toBeGreaterThan(100);
  const byId = (run: StagesRun) => run.records.toSorted((one, other) => one.id.localeCompare(other.id));
  expect(byId(live)).toEqual(byId(backlog));
});

test('rows are deleted only if they were put, and nothing is put that is closed', () => {
  const run = new StagesRun();
  run.line({ timeUs: T0 });
  run.stages.closeAll();
  expect(run.stages.takeChanges()).toEqual({ put: [], delete: [] });
  run.line({ timeUs: T0 });
  const { put } = run.stages.takeChanges();
  expect(put.map(({ key }) => key)).toEqual([1]);
  expect(run.stages.takeChanges()).toEqual({ put: [], delete: [] });
  run.line({ timeUs: T0 + 1 });
  expect(run.stages.takeChanges().put.length).toBe(1);
  run.stages.closeAll();
  expect(run.stages.takeChanges()).toEqual({ put: [], delete: [1] });
});
