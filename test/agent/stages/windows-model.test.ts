import { expect, test } from 'vitest';
import type { Disposition } from '../../../parsers/record.ts';
import type { Flow } from '../../helpers/model-flow.ts';
import { ModelNode } from '../../helpers/model-windows.ts';
import { Random } from '../../helpers/random.ts';
import { StagesRun } from '../../helpers/stages-run.ts';

/** Events of all streams together; more for a longer look, with another seed for another one. */
const EVENTS = Number(process.env.MODEL_EVENTS ?? 1_000_000);
const SEED = Number(process.env.MODEL_SEED ?? 20_261_121);
const T0 = 1_700_000_000_000_000;
const SECOND = 1_000_000;

interface Shape {
  readonly what: string;
  /** How far time goes on from one event to the next, in µs. */
  readonly stepUs: (random: (below: number) => number, index: number) => number;
  readonly keys: number;
  readonly keysMax: number;
  readonly rate: number;
  readonly burst: number;
  readonly dispositions: readonly Disposition[];
  /** What the stream is made to run into. */
  readonly drops: readonly ('rate_limit' | 'aggregation_limit')[];
  readonly inputs: number;
}

const jitter = [0, 0, 1, 999, 2000, 2001, 60_000, 200_000, 1_000_000, -1, -1000, -250_000];
const steps = [
  5 * SECOND,
  4_999_999,
  5_000_001,
  -4_999_999,
  -5 * SECOND,
  -5_000_001,
  3600 * SECOND,
  -3600 * SECOND,
];

/** Each stream has a character of its own. */
const SHAPES: readonly Shape[] = [
  ...[499, 500, 501, 5000].map((rate) => ({
    what: `${rate} new connections a second, one limit of 500`,
    stepUs: (_: unknown, index: number) =>
      Math.floor(((index + 1) * SECOND) / rate) - Math.floor((index * SECOND) / rate),
    keys: 1_000_000_000,
    keysMax: 100_000,
    rate: 500,
    // Small enough for one connection a second too many to be felt within the stream.
    burst: rate === 5000 ? 500 : 10,
    dispositions: ['deny', 'allow'] as const,
    drops: rate > 500 ? (['rate_limit'] as const) : [],
    inputs: 1,
  })),
  ...[2999, 3000, 3001].map((keys) => ({
    what: `${keys} keys, at most 3,000 open`,
    stepUs: () => 300,
    keys,
    keysMax: 3000,
    rate: 0,
    burst: 500,
    dispositions: ['unknown'] as const,
    drops: keys > 3000 ? (['aggregation_limit'] as const) : [],
    inputs: 1,
  })),
  {
    what: 'jitter and equal times',
    stepUs: (random) => jitter[random(jitter.length)]!,
    keys: 40,
    keysMax: 30,
    rate: 2,
    burst: 50,
    dispositions: ['deny', 'deny', 'unknown', 'allow'],
    drops: ['rate_limit', 'aggregation_limit'],
    inputs: 2,
  },
  {
    what: 'clocks that are set forward and back',
    stepUs: (random) => (random(20) === 0 ? steps[random(steps.length)]! : jitter[random(jitter.length)]!),
    keys: 12,
    keysMax: 10,
    rate: 5,
    burst: 50,
    dispositions: ['deny', 'deny', 'unknown', 'allow'],
    drops: ['rate_limit', 'aggregation_limit'],
    inputs: 3,
  },
];

test.each(SHAPES)('stages and model agree: $what', (shape) => {
  const options = {
    windowUs: 5 * SECOND,
    srcPortsMax: 3,
    keysMax: shape.keysMax,
    rate: shape.rate,
    burst: shape.burst,
  };
  const run = new StagesRun({
    limit: { connections_per_second: shape.rate, burst: shape.burst },
    aggregate: { keys_max: shape.keysMax, src_ports_max: 3 },
  });
  const model = new ModelNode(options);
  const source = new Random(SEED);
  const random = (below: number) => source.below(below);
  const events = Math.ceil(EVENTS / SHAPES.length);
  const differences: string[] = [];
  let timeUs = T0;
  for (let index = 0; index < events; index += 1) {
    timeUs += shape.stepUs(random, index);
    const input = `input-${random(shape.inputs)}`;
    const flow: Flow = {
      timeUs,
      // One input meets its keys in turn, so that all that there are get open.
      src: `10.${shape.inputs === 1 ? index % shape.keys : random(shape.keys)}`,
      srcPort: random(50) - 1,
      destPort: 443,
      disposition: shape.dispositions[random(shape.dispositions.length)]!,
      count: random(9) === 0 ? 7 : 1,
      packets: random(2),
      bytes: random(1500),
      // The same connection in other words has another raw key.
      spelling: String(random(3)),
    };
    const want = model.event({
      id: `line-${index}`,
      input,
      timeUs,
      key: `${flow.src} ${flow.disposition}`,
      merges: flow.disposition !== 'allow',
      srcPort: flow.srcPort!,
      count: flow.count!,
      packets: flow.packets!,
      bytes: flow.bytes!,
    });
    const got = run.line(flow, input).replace('dropped ', '');
    if (got !== want) differences.push(`event ${index}: ${got}, and the model says ${want}`);
  }
  expect(differences.slice(0, 5)).toEqual([]);
  for (let input = 0; input < shape.inputs; input += 1) model.end(`input-${input}`);
  run.stages.closeAll();

  const reasons = (['rate_limit', 'aggregation_limit'] as const).filter((reason) =>
    run.count(`dropped ${reason}`),
  );
  expect(reasons).toEqual(shape.drops);
  expect(run.gap).toEqual({ lines: 0, records: 0 });
  expect(run.records.length).toBe(model.records.length);
  const got = new Map(run.records.map((record) => [record.id, record]));
  const wrong = model.records.filter((want) => {
    const record = got.get(want.id);
    const isMerged = want.lines > 1;
    return (
      record?.count !== want.count ||
      micros(record.timestamp) !== want.firstUs ||
      (record.connection.src_port ?? -1) !== want.srcPort ||
      (record.disposition !== 'allow' && (record.packets ?? 0) !== want.packets) ||
      (record.disposition !== 'allow' && (record.bytes ?? 0) !== want.bytes) ||
      (record.last_timestamp === undefined) === isMerged ||
      (isMerged && micros(record.last_timestamp!) !== want.lastUs) ||
      (isMerged && (record.src_ports ?? []).join() !== want.srcPorts.join())
    );
  });
  expect(wrong.slice(0, 3)).toEqual([]);
  console.log(
    `seed ${SEED}: ${events} events, ${run.records.length} records, ${run.count('dropped rate_limit')} and ${run.count('dropped aggregation_limit')} dropped: ${shape.what}`,
  );
});

function micros(timestamp: string): number {
  return Date.parse(`${timestamp.slice(0, 19)}Z`) * 1000 + Number(timestamp.slice(20, 26));
}
