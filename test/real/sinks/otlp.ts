import type { Conformance, Destination } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { versions } from '../cache.ts';
import { type ArrivedRecord, Collector } from '../servers/collector.ts';
import { FAULTS_ON_THE_WAY, FORWARD, first, killAt, type OnTheWay, outage, wayTo } from './way.ts';

interface OtlpDestination extends Destination, OnTheWay {
  readonly collector: Collector;
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
      const way = await wayTo(collector.origin);
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
        received: () => collector.written().map(idOf),
        async close() {
          await way.kill();
          await collector.close();
        },
      };
    },
    faults: {
      ...FAULTS_ON_THE_WAY,
      accepts: () => {},
      'refuses one record': ({ way }) => {
        way.react = ({ body }) => (body.includes('r123') ? { kind: 'answer', status: 400 } : FORWARD);
        return { refusedId: 'r123' };
      },
      throttles: ({ way }) => {
        const busy = { kind: 'answer', status: 429, headers: { 'retry-after': '1' } } as const;
        way.react = first([busy, busy]);
      },
      'outage, 50,000 records waiting': ({ collector }) => outage(collector),
      'killed in mid-stream': ({ way, collector }) => killAt(3, way, collector),
      'agent killed in mid-stream': () => {},
    },
  };
}

export function idOf({ attributes }: ArrivedRecord): string {
  const id = attributes.find(({ key }) => key === 'log.record.uid')!.value;
  return (id as { stringValue: string }).stringValue;
}
