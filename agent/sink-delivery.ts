import { createSink } from '../sinks/index.ts';
import { ShapedSink } from '../sinks/shaped-sink.ts';
import type { SinkContext } from '../sinks/sink.ts';
import type { SinkConfig } from './config/schema.ts';
import { DeadLetters } from './delivery/dead-letters.ts';
import { Delivery } from './delivery/delivery.ts';
import { toDeliveryOptions } from './delivery/options.ts';
import { resendDeadLetters } from './delivery/resend.ts';
import type { DeliveryEvents, DeliveryParts } from './delivery/types.ts';
import { loadEncoding } from './load-encoding.ts';
import type { FilterConfig } from './stages/filter.ts';
import { compileFilter, type Filter } from './stages/filter.ts';
import { compileSample } from './stages/sample.ts';

/** What the deliveries of all sinks share. */
export type DeliveryContext = Pick<DeliveryParts, 'source' | 'log'> & {
  readonly statePath: string;
  readonly sinkContext: (sink: string) => SinkContext;
  readonly events: (sink: string) => DeliveryEvents;
};

/** One configured sink at work. */
export interface SinkDelivery {
  readonly delivery: Delivery;
  /** Sends the dead letters that somebody set aside for it; resolves with how many there were. */
  resend(signal: AbortSignal): Promise<number>;
}

/** Puts a sink, its filters, its sample, its encoding and its shape together with what delivers to it. */
export function sinkDelivery(config: SinkConfig, context: DeliveryContext): SinkDelivery {
  const { name } = config;
  const sinkContext = context.sinkContext(name);
  const options = toDeliveryOptions(config, acceptOf(config));
  const parts: DeliveryParts = {
    source: context.source,
    createSink: async () => {
      const sink = await createSink(config, sinkContext);
      const shape = await loadEncoding(config);
      return shape === undefined ? sink : new ShapedSink(sink, shape);
    },
    deadLetters: new DeadLetters(context.statePath, name),
    events: context.events(name),
    log: context.log,
  };
  return {
    delivery: new Delivery(options, parts),
    resend: (signal) => resendDeadLetters(options, parts, signal),
  };
}

/** A sink's filters and sample as one test; undefined where it has none, so that no record need be decoded. */
function acceptOf({ include = [], exclude = [], sample }: SinkConfig): Filter | undefined {
  const tests: FilterConfig[] = [];
  if (include.length > 0) tests.push({ or: include });
  if (exclude.length > 0) tests.push({ not: { or: exclude } });
  const filter = tests.length > 0 ? compileFilter({ and: tests }) : undefined;
  const sampled = sample && compileSample(sample.allow);
  if (filter === undefined || sampled === undefined) return filter ?? sampled;
  return (record) => filter(record) && sampled(record);
}
