import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aggregateSchema, enrichSchema, limitSchema, selectSchema } from '../../../agent/config/schema.ts';
import { Stages } from '../../../agent/stages/stages.ts';
import { type Flow, FlowView } from '../../helpers/model-flow.ts';
import { type ModelEvent, ModelNode } from '../../helpers/model-windows.ts';

const EVENTS = Number(process.env.MODEL_EVENTS ?? 100_000);
const T0 = 1_700_000_000_000_000;

interface Step {
  flow: Flow;
  input: string;
}

/** Runs the same events through stages and model. */
function compare(steps: readonly Step[], options: { keysMax: number; rate: number; burst: number }) {
  const stages = new Stages(
    {
      select: selectSchema.parse({}),
      limit: limitSchema.parse({ connections_per_second: options.rate, burst: options.burst }),
      aggregate: aggregateSchema.parse({ keys_max: options.keysMax, src_ports_max: 3 }),
      enrich: enrichSchema.parse({}),
    },
    { record: (json) => records.push(JSON.parse(json)), summary: () => {} },
  );
  const records: Record<string, unknown>[] = [];
  const model = new ModelNode({ windowUs: 5_000_000, srcPortsMax: 3, ...options });
  const view = new FlowView();
  const tally: Record<string, number> = {};
  for (const [index, { flow, input }] of steps.entries()) {
    const event: ModelEvent = {
      id: `id-${index}`,
      input,
      timeUs: flow.timeUs,
      key: [flow.src, flow.dest, flow.destPort, flow.protocol, flow.direction, flow.disposition].join(),
      merges: flow.disposition !== 'allow',
      srcPort: flow.srcPort ?? -1,
      count: flow.count ?? 1,
      packets: flow.packets ?? 0,
      bytes: flow.bytes ?? 0,
    };
    const got = stages.input(input).process(view.of(flow), () => event.id);
    const want = model.event(event);
    const name = got.kind === 'dropped' ? got.reason : got.kind;
    tally[name] = (tally[name] ?? 0) + 1;
    if (name !== want) expect.fail(`event ${index}: ${name}, and the model says ${want}`);
  }
  const held = stages.open;
  for (const input of ['a', 'b']) {
    stages.input(input).windows.closeAll();
    model.end(input);
  }
  expect(records.map(({ id }) => id)).toEqual(model.records.map(({ id }) => id));
  return { records, model, tally, held };
}

test('stages and model give the same classes and the same records', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      let state = seed | 1;
      const random = (below: number) => {
        state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
        return ((state ^ (state >>> 13)) >>> 0) % below;
      };
      let timeUs = T0;
      const steps: Step[] = [];
      for (let index = 0; index < 2000; index += 1) {
        timeUs += [0, 1, 2000, 2001, 200_000, 5_000_000, -1000, -4_999_999, -5_000_000, -60_000_000][
          random(random(8) ? 5 : 10)
        ]!;
        steps.push({
          input: random(4) ? 'a' : 'b',
          flow: {
            timeUs,
            src: `10.0.0.${random(6)}`,
            srcPort: random(9),
            destPort: 80,
            disposition: (['deny', 'unknown', 'allow'] as const)[random(3)]!,
            count: random(5) ? 1 : 3,
            packets: 1,
            bytes: 60,
            spelling: String(random(2)),
          },
        });
      }
      compare(steps, { keysMax: 10, rate: random(2) ? 500 : 5, burst: 20 });
    }),
    { numRuns: Math.ceil(EVENTS / 2000) },
  );
});
