import { describe, expect, test } from 'vitest';
import type { WindowRow } from '../../../agent/outbox/types.ts';
import type { Flow } from '../../helpers/model-flow.ts';
import { StagesRun } from '../../helpers/stages-run.ts';

const T0 = 1_700_000_000_000_000;
const SECOND = 1_000_000;
const flow: Flow = { timeUs: T0, src: '10.0.0.1', srcPort: 1000, dest: '8.8.8.8', destPort: 53 };

describe('a retry merges without a look at its record', () => {
  test.each<[string, object, number]>([
    ['by default', {}, 1],
    [
      'with a filter on what is in the raw key',
      { select: { exclude: [{ field: 'dest.namespace', equals: 'x' }] } },
      1,
    ],
    ['with a filter on an interface', { select: { exclude: [{ field: 'packet.in', equals: 'x' }] } }, 1],
    [
      'but not with a filter on the source port',
      { select: { exclude: [{ field: 'connection.src_port', equals: 1 }] } },
      5,
    ],
    [
      'but not with a filter on the rest of the packet',
      { select: { include: [{ not: { field: 'packet.ttl', equals: 1 } }] } },
      5,
    ],
    ['but not with the source port in the key', { aggregate: { key: ['src_ip', 'src_port'] } }, 5],
  ])('%s', (_, config, decoded) => {
    const run = new StagesRun(config);
    for (let index = 0; index < 5; index += 1) run.line({ ...flow, timeUs: T0 + index });
    expect(run.classes.slice(1)).toEqual(['merged', 'merged', 'merged', 'merged']);
    expect(run.view.decoded).toBe(decoded);
  });

  test('and a filter that looks at every line refuses what it says', () => {
    const run = new StagesRun({
      select: { exclude: [{ field: 'connection.src_port', port_range: '2000-3000' }] },
    });
    const classes = [1000, 2000, 1001, 3000].map((srcPort) => run.line({ ...flow, srcPort }));
    expect(classes).toEqual(['opened', 'filtered exclude', 'merged', 'filtered exclude']);
  });

  test.each([
    ['so is a line that opens a window', {}, 1, 0],
    ['but not with a filter', { select: { include: [{ field: 'disposition', equals: 'deny' }] } }, 3, 3],
    ['but not with a share of the limit', { limit: { share_max: 0.5 } }, 3, 3],
    ['but not at another level', { aggregate: { level: 'workload' } }, 3, 3],
  ])('%s', (_, config, decoded, recorded) => {
    const run = new StagesRun(config);
    for (let index = 0; index < 6; index += 1) {
      run.line({ ...flow, timeUs: T0 + Math.floor(index / 2) * 5_000_000 });
    }
    expect(run.classes).toEqual(['opened', 'merged', 'opened', 'merged', 'opened', 'merged']);
    expect([run.view.decoded, run.view.recorded]).toEqual([decoded, recorded]);
  });

  test('but what is not logged opens none', () => {
    const run = new StagesRun({ select: { deny: { log: false } } });
    expect([run.line(flow), run.line(flow)]).toEqual(['filtered disposition', 'filtered disposition']);
  });

  test('in either of two spellings, once each is known', () => {
    const run = new StagesRun();
    for (let index = 0; index < 6; index += 1) run.line({ ...flow, spelling: String(index % 2) });
    expect(run.view.decoded).toBe(2);
    expect(run.count('merged')).toBe(5);
  });

  test('with more raw keys than are remembered', () => {
    const run = new StagesRun({ aggregate: { keys_max: 2 } });
    for (let index = 0; index < 5000; index += 1) run.line({ ...flow, spelling: String(index) });
    run.stages.closeAll();
    expect(run.records.map(({ count }) => count)).toEqual([5000]);
  });
});

describe('names', () => {
  const networks = [
    { name: 'office', cidrs: ['203.0.113.0/24', '10.20.0.0/16'] },
    { name: 'vpn', cidrs: ['203.0.113.128/25', '2001:db8::/32'] },
  ];
  test.each([
    ['8.8.8.8', 'public'],
    ['10.0.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.0', 'public'],
    ['100.64.0.1', 'private'],
    ['255.255.255.255', 'private'],
    ['203.0.113.5', 'office'],
    ['203.0.113.200', 'vpn'],
    ['10.20.1.1', 'office'],
    ['2001:db8::1', 'vpn'],
    ['2001:4860:4860::8888', 'public'],
    ['fe80::1', 'private'],
    ['fd00::1', 'private'],
    ['::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
  ])('%s is in %s', (dest, network) => {
    const run = new StagesRun({ enrich: { networks } });
    run.line({ ...flow, disposition: 'allow', dest });
    expect(run.records[0]!.dest).toEqual({ instance: dest, network });
  });

  test('what the source names is kept as it is', () => {
    const run = new StagesRun();
    const names = {
      src: { pod_name: 'a', namespace: 'n', labels: { x: 'y' } },
      dest: { instance: '8.8.8.8', network: 'dns' },
    };
    run.line({ ...flow, disposition: 'allow', extra: names });
    expect(run.records[0]).toMatchObject(names);
    expect(run.records[0]!.src).toEqual(names.src);
  });
});

describe('coarser levels', () => {
  const pod = (number: number) => ({
    pod_name: `api-7d9f-${number}`,
    namespace: 'n',
    workload_name: 'api-7d9f',
    workload_kind: 'ReplicaSet',
  });
  const connect = (run: StagesRun, from: number, dest: string, more: Partial<Flow> = {}) =>
    run.line({
      ...flow,
      disposition: 'allow',
      src: `10.0.0.${from}`,
      srcPort: 1000 + from,
      dest,
      packets: 2,
      bytes: 100,
      prefix: 'p',
      ...more,
      extra: { src: pod(from), packet: { ttl: from } },
    });

  test('pod: without source port, packet and the pods’ addresses', () => {
    const run = new StagesRun({ aggregate: { level: 'pod', window: '10m', dispositions: ['allow'] } });
    for (const [from, dest] of [
      [1, '8.8.8.8'],
      [1, '8.8.8.8'],
      [2, '8.8.8.8'],
      [1, '8.8.4.4'],
    ] as const)
      connect(run, from, dest);
    run.stages.closeAll();
    expect(
      run.records.map(({ src, connection, count }) => [src.pod_name, connection.dest_ip, count]),
    ).toEqual([
      ['api-7d9f-1', '8.8.8.8', 2],
      ['api-7d9f-2', '8.8.8.8', 1],
      ['api-7d9f-1', '8.8.4.4', 1],
    ]);
    expect(run.records[0]).toEqual({
      id: 'line-0',
      connection: { dest_ip: '8.8.8.8', dest_port: 53, protocol: 'tcp' },
      disposition: 'allow',
      src: pod(1),
      dest: { instance: '8.8.8.8', network: 'public' },
      count: 2,
      packets: 4,
      bytes: 200,
      prefix: 'p',
      timestamp: '2023-11-14T22:13:20.000000Z',
      last_timestamp: '2023-11-14T22:13:20.000000Z',
      source: { input: 'syslog', format: 'syslog' },
    });
  });

  test('workload: names that stand for many end in *', () => {
    const run = new StagesRun({ aggregate: { level: 'workload', window: '10m', dispositions: ['allow'] } });
    for (const [from, dest] of [
      [1, '8.8.8.8'],
      [2, '8.8.4.4'],
      [3, '10.9.9.9'],
    ] as const)
      connect(run, from, dest);
    connect(run, 1, '8.8.8.8', { prefix: 'another' });
    run.stages.closeAll();
    expect(run.records.map(({ count }) => count)).toEqual([2, 1, 1]);
    expect(run.records[0]).toMatchObject({
      connection: { dest_port: 53, protocol: 'tcp' },
      src: { ...pod(1), pod_name: 'api-7d9f-*' },
      dest: { instance: '*', network: 'public' },
    });
    expect(run.records[0]!.connection).not.toHaveProperty('src_ip');
    expect(run.records[0]!.connection).not.toHaveProperty('dest_ip');
    expect(run.records[1]!.dest).toEqual({ instance: '*', network: 'private' });
  });
});

describe('times', () => {
  test.each([
    [0, '2023-11-14T22:13:21Z'],
    [3, '2023-11-14T22:13:21.250Z'],
    [6, '2023-11-14T22:13:21.250004Z'],
    [9, '2023-11-14T22:13:21.250004777Z'],
  ])('the last one keeps its %i digits', (timeDigits, expected) => {
    const run = new StagesRun();
    run.line({ ...flow, timeDigits });
    run.line({ ...flow, timeDigits, timeUs: T0 + 1_250_004 });
    run.line({ ...flow, timeDigits, timeUs: T0 + 3 });
    run.stages.closeAll();
    expect(run.records[0]!.last_timestamp).toBe(expected);
  });

  test.each([
    ['the clock closes a quiet window a grace after its end, not before', 0],
    ['events stamped in the future are closed by the clock that read them', 86_400 * SECOND],
  ])('%s', (_, aheadUs) => {
    const run = new StagesRun();
    const input = run.stages.input('syslog');
    run.line({ ...flow, timeUs: T0 + aheadUs });
    for (const [atUs, records] of [
      [0, 0],
      [6_999_999, 0],
      [7_000_000, 1],
    ] as const) {
      input.closeQuiet(T0 + atUs);
      expect(run.records.length).toBe(records);
    }
  });

  test.each(['connection', 'pod', 'workload'])(
    "a key's next window overtakes one that opened before it, and takes lines: level %s",
    (level) => {
      const run = new StagesRun({ aggregate: { level } });
      run.line({ ...flow, timeUs: T0 + 3 * SECOND, destPort: 54 });
      for (const afterS of [0, 5, 6, 9]) run.line({ ...flow, timeUs: T0 + afterS * SECOND });
      expect(run.classes).toEqual(['opened', 'opened', 'opened', 'merged', 'merged']);
      run.stages.closeAll();
      expect(run.records.map(({ connection, count }) => [connection.dest_port, count])).toEqual([
        [53, 1],
        [54, 1],
        [53, 3],
      ]);
      expect(run.gap).toEqual({ lines: 0, records: 0 });
    },
  );

  test('a source whose clock is behind still merges while lines come', () => {
    const run = new StagesRun();
    for (let index = 0; index < 40; index += 1) {
      run.line({ ...flow, timeUs: T0 + index * 100_000 });
      run.stages.input('syslog').closeQuiet(T0 + 3600 * SECOND + index * 100_000);
    }
    expect(run.records).toEqual([]);
    run.stages.input('syslog').closeQuiet(T0 + 3606 * SECOND);
    expect(run.records.map(({ count }) => count)).toEqual([40]);
  });
});

describe('the limit', () => {
  test('after a stamp from the future nothing starves', () => {
    const run = new StagesRun({
      limit: { connections_per_second: 10, burst: 10 },
      aggregate: { dispositions: [] },
    });
    run.line({ ...flow, timeUs: T0 + 3600 * SECOND });
    let recorded = 0;
    for (let index = 0; index < 100; index += 1)
      if (run.line({ ...flow, timeUs: T0 + index * 100_000 }) === 'recorded') recorded += 1;
    expect(recorded).toBe(100);
  });

  test('one source takes no more than its share, and the rest goes on', () => {
    const run = new StagesRun({
      limit: { connections_per_second: 100, burst: 100, share_max: 0.25 },
      aggregate: { dispositions: [] },
    });
    const got = { scan: 0, other: 0 };
    for (let index = 0; index < 10_000; index += 1) {
      const timeUs = T0 + index * 1000;
      if (run.line({ ...flow, timeUs, src: '10.0.0.66', destPort: index }) === 'recorded') got.scan += 1;
      if (index % 50 === 0 && run.line({ ...flow, timeUs, src: `10.0.1.${index % 7}` }) === 'recorded')
        got.other += 1;
    }
    expect(got.other).toBe(200);
    // 25 at once and 25 a second for 10 s.
    expect(got.scan).toBeGreaterThanOrEqual(270);
    expect(got.scan).toBeLessThanOrEqual(276);
  });

  test('sources are forgotten once their share is full again', () => {
    const run = new StagesRun({
      limit: { connections_per_second: 10, burst: 10, share_max: 0.5 },
      aggregate: { dispositions: [] },
    });
    for (let index = 0; index < 5000; index += 1)
      run.line({ ...flow, timeUs: T0 + index * 10_000, src: `10.1.${index}` });
    const [, saved] = run.stages.save().find(([name]) => name === 'limit')!;
    expect(JSON.parse(saved).sources.length).toBeLessThanOrEqual(41);
  });
});

describe('summaries', () => {
  const limited = { limit: { connections_per_second: 1, burst: 1 }, aggregate: { dispositions: ['deny'] } };

  test('say how many were dropped, why, and from when to when, once a minute', () => {
    const run = new StagesRun(limited, { nodeName: 'node-1' });
    for (let index = 0; index < 1250; index += 1) {
      const disposition = index % 2 ? 'deny' : 'allow';
      run.line({ ...flow, timeUs: T0 + index * 100_000, src: `10.2.${index}`, disposition });
    }
    run.stages.closeAll();
    expect(run.summaries.map(({ timestamp }) => timestamp.slice(14, 19))).toEqual([
      '13:20',
      '14:20',
      '15:20',
    ]);
    const dropped = run.summaries.flatMap(({ dropped }) =>
      Object.values(dropped).flatMap((by) => Object.values(by)),
    );
    expect(dropped.reduce((one, other) => one + other)).toBe(run.count('dropped rate_limit'));
    expect(run.summaries[0]).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      log_type: 'summary',
      node_name: 'node-1',
      timestamp: '2023-11-14T22:13:20.100000Z',
      last_timestamp: '2023-11-14T22:14:19.900000Z',
      dropped: { rate_limit: { allow: expect.any(Number), deny: expect.any(Number) } },
      source: { input: 'agent', format: 'summary' },
    });
    expect(new Set(run.summaries.map(({ id }) => id)).size).toBe(3);
  });

  test('are no more where two clocks are an hour apart', () => {
    const run = new StagesRun(limited);
    for (let index = 0; index < 1000; index += 1) {
      const timeUs = T0 + index * 100_000 + (index % 2) * 3600 * SECOND;
      run.line({ ...flow, timeUs, disposition: 'allow' }, index % 2 ? 'ahead' : 'behind');
      run.line({ ...flow, timeUs, disposition: 'allow' }, index % 2 ? 'ahead' : 'behind');
    }
    run.stages.closeAll();
    expect(run.summaries.length).toBeLessThanOrEqual(3);
  });

  test('leave by the clock a minute after it saw the first drop', () => {
    const run = new StagesRun(limited);
    for (let index = 0; index < 3; index += 1) run.line({ ...flow, disposition: 'allow' });
    run.stages.closeQuiet(T0);
    run.stages.closeQuiet(T0 + 59 * SECOND);
    expect(run.summaries).toEqual([]);
    run.stages.closeQuiet(T0 + 60 * SECOND);
    expect(run.summaries.map(({ dropped }) => dropped)).toEqual([{ rate_limit: { allow: 2 } }]);
  });
});

describe('going on after a restart', () => {
  function restarted(run: StagesRun, config: object): StagesRun {
    const rows = new Map<number, WindowRow>(run.stages.takeChanges().put.map((row) => [row.key, row]));
    const next = new StagesRun(config);
    next.restore([...rows.values()], new Map(run.stages.save()));
    return next;
  }

  test('with coarser levels, finer windows close as they are', () => {
    const run = new StagesRun();
    run.line(flow);
    const next = restarted(run, { aggregate: { level: 'workload' } });
    next.line({ ...flow, timeUs: T0 + 1 });
    next.stages.closeAll();
    expect(next.records.map(({ count, connection }) => [count, connection.src_ip])).toEqual([
      [1, '10.0.0.1'],
      [1, undefined],
    ]);
    expect(next.gap).toEqual({ lines: 0, records: 0 });
  });

  test('windows of an input that is gone leave by the clock', () => {
    const run = new StagesRun();
    run.line(flow, 'removed');
    const next = restarted(run, {});
    next.stages.closeQuiet(T0 + 10 * SECOND);
    next.stages.closeQuiet(T0 + 12 * SECOND);
    expect(next.records.length).toBe(1);
    expect(next.stages.takeChanges()).toEqual({ put: [], delete: [0] });
  });
});
