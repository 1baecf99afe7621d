import { setTimeout as pause } from 'node:timers/promises';
import type { Conformance, Destination } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { HttpFixture, type Reaction } from '../../sinks/http-fixture.ts';
import { versions } from '../cache.ts';
import { type ArrivedRecord, Collector } from '../servers/collector.ts';

const FORWARD: Reaction = { kind: 'forward' };

interface OtlpDestination extends Destination {
  readonly collector: Collector;
  /** The faults before the server. */
  readonly way: HttpFixture;
}

export const otlpProtobuf = otlp('otlp, protobuf', { protocol: 'http/protobuf' });
export const otlpJson = otlp('otlp, JSON', { protocol: 'http/json', compression: 'none' });

function otlp(name: string, options: Record<string, unknown>): Conformance<OtlpDestination> {
  return {
    name,
    destination: `OpenTelemetry Collector ${versions.OTELCOL}`,
    guarantee: 'at least once',
    async create() {
      const collector = await Collector.start();
      const way = new HttpFixture();
      await way.start();
      way.upstream = collector.origin;
      way.react = () => FORWARD;
      return {
        collector,
        way,
        config: configure({
          type: 'otlp',
          url: way.origin,
          ...options,
          request_timeout: '2s',
          retry: { backoff_min: '10ms', backoff_max: '100ms' },
          batch: { records_max: 100, age_max: '0ms' },
        }),
        received: async () => (await collector.finish()).map(idOf),
        async close() {
          await way.kill();
          await collector.close();
        },
      };
    },
    faults: {
      accepts: () => {},
      'refuses one record': ({ way }) => {
        way.react = ({ body }) => (body.includes('r123') ? answer(400, 'r123 is bad') : FORWARD);
        return { refusedId: 'r123' };
      },
      'is too small for a batch': ({ way }) => {
        way.react = ({ bytes }) => (bytes.length > 20_000 ? answer(413) : FORWARD);
      },
      throttles: ({ way }) => {
        way.react = first(3, { ...answer(429, 'slow down'), headers: { 'retry-after': '1' } });
      },
      'refuses credentials': ({ way }) => {
        way.react = first(2, answer(401));
      },
      stalls: ({ way }) => {
        way.react = first(2, { kind: 'stall' });
      },
      'resets mid-body': ({ way }) => {
        way.cutNext = 2;
        way.react = first(2, { kind: 'forward_then_reset' });
      },
      'answers garbage': ({ way }) => {
        let seen = 0;
        const kinds = ['garbage', 'torn_answer', 'forward_then_reset'] as const;
        way.react = () => (seen < kinds.length ? { kind: kinds[seen++]! } : FORWARD);
      },
      'outage, 50,000 records waiting': async ({ collector }) => {
        await collector.kill();
        return { end: () => collector.restart() };
      },
      'killed in mid-stream': ({ way, collector }) => {
        let seen = 0;
        way.react = () => {
          if (++seen !== 3) return FORWARD;
          void killAfterWriting(collector, 200);
          return { kind: 'stall' };
        };
      },
      'agent killed in mid-stream': () => {},
    },
  };
}

export function idOf({ attributes }: ArrivedRecord): string {
  const id = attributes.find(({ key }) => key === 'log.record.uid')!.value;
  return (id as { stringValue: string }).stringValue;
}

/** Kills the Collector as soon as it has written so many records: what it has confirmed it may keep in memory. */
async function killAfterWriting(collector: Collector, records: number): Promise<void> {
  while (collector.written().length < records) await pause(10);
  await collector.kill();
  await collector.restart();
}

function answer(status: number, body = '') {
  return { kind: 'answer', status, body } as const;
}

/** Reacts so to the first requests, and hands on the rest. */
function first(count: number, reaction: Reaction): () => Reaction {
  let seen = 0;
  return () => (++seen <= count ? reaction : FORWARD);
}
