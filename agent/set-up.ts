import { isDeepStrictEqual } from 'node:util';
import type { SinkContext } from '../sinks/sink.ts';
import { bootTimeUs } from './boot-time.ts';
import { type ClusterAtWork, clusterOf } from './cluster-set-up.ts';
import type { LoadedConfig } from './config/load.ts';
import { digestOf, namedFiles } from './config/named-files.ts';
import type { SinkConfig } from './config/schema.ts';
import type { Delivery } from './delivery/delivery.ts';
import type { DeliveryEvents } from './delivery/types.ts';
import { formatOf } from './formats.ts';
import { openInput } from './inputs/file.ts';
import type { FileDeps } from './inputs/trouble.ts';
import type { Input } from './inputs/types.ts';
import { Intake } from './intake.ts';
import type { Logger } from './observe/log.ts';
import type { RefusedLines } from './observe/refused-lines.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { RecordBuffer } from './record-buffer.ts';
import { type SinkDelivery, sinkDelivery } from './sink-delivery.ts';

/** How long a sink that is no longer configured as it was may take to finish; what it has not sent stays. */
const SINK_STOP_MS = 2000;

/** What outlives a reload of the configuration. */
export interface Lasting {
  readonly node: string;
  readonly timezone: string;
  readonly statePath: string;
  readonly outbox: Outbox;
  readonly records: RecordBuffer;
  readonly refusedLines: RefusedLines;
  readonly log: Logger;
  readonly fileEvents: (input: string) => NonNullable<FileDeps['events']>;
  readonly deliveryEvents: (sink: string) => DeliveryEvents;
  readonly sinkContext: (sink: string) => SinkContext;
}

/** What one configuration asks for, at work. */
export interface SetUp {
  readonly intake: Intake;
  readonly inputs: readonly Input[];
  readonly sinks: ReadonlyMap<string, SinkAtWork>;
  /** Where the cluster is asked. */
  readonly cluster: ClusterAtWork | undefined;
}

interface SinkAtWork {
  readonly config: SinkConfig;
  /** A digest of the files that the configuration names, as it was before the sink read them. */
  readonly files: string;
  readonly work: SinkDelivery;
}

/** The deliveries of a set-up. */
export function deliveriesOf({ sinks }: SetUp): Delivery[] {
  return Array.from(sinks.values(), ({ work }) => work.delivery);
}

/**
 * Makes what a configuration asks for, going on from what the outbox has.
 *
 * With `before`, it replaces a set-up whose lines have all been committed. Sinks that are configured as before, with
 * the same certificates and keys, go on and do not notice, as does the watch of the cluster; the other sinks finish
 * first. Inputs are opened anew where they were left, and the accounts go on.
 * @throws OutboxError; then `before` still reads, and the call may be repeated
 */
export async function setUp(config: LoadedConfig, lasting: Lasting, before?: SetUp): Promise<SetUp> {
  const { outbox, log, node, timezone } = lasting;
  const kept = new Map(
    [...(before?.sinks ?? [])].filter(([name, { config: was, files }]) =>
      config.sinks.some(
        (sink) => sink.name === name && isDeepStrictEqual(sink, was) && digestOf(namedFiles(sink)) === files,
      ),
    ),
  );
  const leaving = [...(before?.sinks ?? [])].filter(([name]) => !kept.has(name));
  await Promise.all(leaving.map(([, { work }]) => work.delivery.stop(SINK_STOP_MS)));
  outbox.configureSinks(config.sinks.map(({ name }) => name));

  const saved = outbox.load();
  for (const input of before?.inputs ?? []) input.close();
  const context = { config, node, timezone, bootTimeUs: bootTimeUs() };
  const formats = new Map(config.inputs.map((input) => [input.name, formatOf(input, context)] as const));
  const cluster = await clusterOf(config, node, log, before?.cluster);
  const surroundings = {
    nodeName: node,
    refusedLines: lasting.refusedLines,
    identity: cluster?.work,
    annotations: cluster?.work.annotations,
    denied: cluster?.work.denied,
  };
  const intake = new Intake(config, formats, lasting.records, surroundings, before?.intake);
  intake.restore(saved);
  const inputs = config.inputs.map((input) => {
    const own = saved.checkpoints.filter((checkpoint) => checkpoint.input === input.name);
    const events = lasting.fileEvents(input.name);
    return openInput(input, formats.get(input.name)!, own, { node, log, events });
  });
  const sinks = new Map(
    config.sinks.map((sink) => {
      const work = kept.get(sink.name)?.work ?? newDelivery(sink, lasting);
      return [sink.name, { config: sink, files: digestOf(namedFiles(sink)), work }] as const;
    }),
  );
  return { intake, inputs, sinks, cluster };
}

function newDelivery(config: SinkConfig, lasting: Lasting): SinkDelivery {
  return sinkDelivery(config, {
    source: lasting.outbox,
    statePath: lasting.statePath,
    log: lasting.log,
    events: lasting.deliveryEvents,
    sinkContext: lasting.sinkContext,
  });
}
