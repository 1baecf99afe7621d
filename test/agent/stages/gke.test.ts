import { describe, expect, test } from 'vitest';
import type { Annotations } from '../../../agent/stages/select.ts';
import type { Flow } from '../../helpers/model-flow.ts';
import { StagesRun } from '../../helpers/stages-run.ts';

const T0 = 1_592_276_700_000_000;
const MS = 1000;

const denial: Flow = {
  timeUs: T0,
  src: '10.84.0.252',
  dest: '10.84.0.165',
  destPort: 8080,
  direction: 'ingress',
  disposition: 'deny',
};

describe('denials', () => {
  test('four, with allowed connections between them, are one record with count 4', () => {
    const run = new StagesRun();
    for (let index = 0; index < 4; index += 1) {
      run.line({ ...denial, timeUs: T0 + index * 1000 * MS, srcPort: 40_000 + index });
      run.line({ ...denial, timeUs: T0 + index * 1000 * MS + 1, srcPort: 50_000, disposition: 'allow' });
    }
    run.stages.closeAll();
    expect(run.classes.join()).toBe('opened,recorded,merged,recorded,merged,recorded,merged,recorded');
    const [denied, ...others] = run.records.filter(({ disposition }) => disposition === 'deny');
    expect(others).toEqual([]);
    expect(denied).toMatchObject({
      id: 'line-0',
      count: 4,
      connection: { src_port: 40_000 },
      timestamp: '2020-06-16T03:05:00.000000Z',
      last_timestamp: '2020-06-16T03:05:03.000000Z',
      src_ports: [40_000, 40_001, 40_002, 40_003],
    });
    expect(
      run.records.filter(({ disposition }) => disposition === 'allow').map(({ count }) => count),
    ).toEqual([1, 1, 1, 1]);
  });

  test('60 ms apart never slide the window', () => {
    const run = new StagesRun();
    for (let index = 0; index < 250; index += 1) run.line({ ...denial, timeUs: T0 + index * 60 * MS });
    run.stages.closeAll();
    // 5 s hold the retries at 0, 60, …, 4,980 ms: the 84th is at 5,040 ms and opens the next window.
    expect(run.records.map(({ count }) => count)).toEqual([84, 84, 82]);
    expect(run.records.map(({ timestamp }) => timestamp.slice(17, 23))).toEqual([
      '00.000',
      '05.040',
      '10.080',
    ]);
  });

  test('exactly one window later opens the next, a microsecond before merges', () => {
    const run = new StagesRun();
    for (const timeUs of [T0, T0 + 4_999_999, T0 + 5_000_000]) run.line({ ...denial, timeUs });
    expect(run.classes).toEqual(['opened', 'merged', 'opened']);
  });

  test('the 3,001st key is dropped, and the first still counts', () => {
    const run = new StagesRun({ limit: { connections_per_second: 0 } });
    for (let key = 0; key <= 3000; key += 1) run.line({ ...denial, src: `10.0.${key >> 8}.${key & 255}` });
    expect(run.classes.at(-1)).toBe('dropped aggregation_limit');
    expect(run.line({ ...denial, src: '10.0.0.0' })).toBe('merged');
    run.stages.closeAll();
    expect(run.records.length).toBe(3000);
    expect(run.records[0]!.count).toBe(2);
    expect(run.summaries[0]!.dropped).toEqual({ aggregation_limit: { deny: 1 } });
  });

  test('what a line counts is added', () => {
    const run = new StagesRun();
    run.line({ ...denial, count: 3 });
    run.line({ ...denial, count: 4 });
    run.stages.closeAll();
    expect(run.records.map(({ count }) => count)).toEqual([7]);
  });

  test('a drop at the key cap costs no token', () => {
    const run = new StagesRun({ limit: { connections_per_second: 1, burst: 2 }, aggregate: { keys_max: 1 } });
    run.line(denial);
    for (let key = 0; key < 9; key += 1) run.line({ ...denial, src: `10.1.0.${key}` });
    expect(run.count('dropped aggregation_limit')).toBe(9);
    expect(run.line({ ...denial, disposition: 'allow' })).toBe('recorded');
    expect(run.line({ ...denial, disposition: 'allow' })).toBe('dropped rate_limit');
  });
});

describe('the delegate matrix', () => {
  const annotations: Annotations = {
    logsPolicy: ({ name }) => name === 'annotated',
    logsDenials: (namespace) => namespace === 'annotated',
  };
  const on = { log: true, delegate: true };
  const policies = [
    { name: 'annotated', namespace: 'a' },
    { name: 'plain', namespace: 'a' },
  ];
  const allowedBy = (...names: string[]): Flow => ({
    ...denial,
    disposition: 'allow',
    extra: { policies: policies.filter(({ name }) => names.includes(name)) },
  });
  const denied = (direction: 'ingress' | 'egress' | undefined, src: string, dest: string): Flow => {
    const { direction: _, ...rest } = denial;
    const names = { src: { pod_name: 'a', namespace: src }, dest: { pod_name: 'b', namespace: dest } };
    return { ...rest, ...(direction === undefined ? {} : { direction }), extra: names };
  };

  test.each<[string, object, Flow, string]>([
    ['allow without delegate is logged', {}, allowedBy('plain'), 'recorded'],
    ['allow by an annotated policy', { allow: on }, allowedBy('annotated'), 'recorded'],
    ['allow by one annotated policy of two', { allow: on }, allowedBy('annotated', 'plain'), 'recorded'],
    ['allow by a policy without annotation', { allow: on }, allowedBy('plain'), 'filtered delegate'],
    ['allow by no policy', { allow: on }, { ...denial, disposition: 'allow' }, 'filtered delegate'],
    ['allow switched off', { allow: { log: false } }, allowedBy('annotated'), 'filtered disposition'],
    ['deny without delegate is logged', {}, denied('ingress', 'plain', 'plain'), 'opened'],
    [
      'deny of ingress: the destination decides',
      { deny: on },
      denied('ingress', 'plain', 'annotated'),
      'opened',
    ],
    [
      'deny of ingress, other side',
      { deny: on },
      denied('ingress', 'annotated', 'plain'),
      'filtered delegate',
    ],
    ['deny of egress: the source decides', { deny: on }, denied('egress', 'annotated', 'plain'), 'opened'],
    ['deny of egress, other side', { deny: on }, denied('egress', 'plain', 'annotated'), 'filtered delegate'],
    ['deny of no direction', { deny: on }, denied(undefined, 'annotated', 'annotated'), 'filtered delegate'],
    ['deny of what is no pod', { deny: on }, denial, 'filtered delegate'],
    ['deny switched off', { deny: { log: false } }, denial, 'filtered disposition'],
    [
      'unknown where both are off',
      { allow: { log: false }, deny: { log: false } },
      { ...denial, disposition: 'unknown' },
      'opened',
    ],
    ['unknown where both delegate', { allow: on, deny: on }, { ...denial, disposition: 'unknown' }, 'opened'],
  ])('%s', (_, select, flow, expected) => {
    expect(new StagesRun({ select }, { annotations }).line(flow)).toBe(expected);
  });

  test('of the policies of an allowed connection only the annotated ones are listed', () => {
    const run = new StagesRun({ select: { allow: on } }, { annotations });
    run.line(allowedBy('annotated', 'plain'));
    expect(run.records[0]!.policies).toEqual([policies[0]]);
  });

  test('without access to annotations nothing is vouched for', () => {
    const run = new StagesRun({ select: { allow: on, deny: on } });
    expect(run.line(allowedBy('annotated'))).toBe('filtered delegate');
    expect(run.line(denied('ingress', 'annotated', 'annotated'))).toBe('filtered delegate');
    expect(run.gap).toEqual({ lines: 0, records: 0 });
  });
});
