import { Counter, Histogram, type Registry } from 'prom-client';
import type { DeliveryEvents, DeliveryState } from '../delivery/types.ts';
import type { OutboxStats } from '../outbox/types.ts';
import { atScrape } from './at-scrape.ts';
import { PREFIX } from './names.ts';

const SECOND_MS = 1000;
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The metrics of delivery, by sink. */
export class DeliveryMetrics {
  readonly #records: Counter;
  readonly #retries: Counter;
  readonly #requests: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#records = new Counter({
      name: `${PREFIX}sink_records_total`,
      help: 'Records that are done with, by what became of them.',
      labelNames: ['sink', 'outcome'],
      registers,
    });
    this.#retries = new Counter({
      name: `${PREFIX}sink_retried_records_total`,
      help: 'Records that had to be sent again, by cause.',
      labelNames: ['sink', 'cause'],
      registers,
    });
    this.#requests = new Histogram({
      name: `${PREFIX}sink_request_duration_seconds`,
      help: 'How long requests took.',
      labelNames: ['sink', 'outcome'],
      buckets: BUCKETS_SECONDS,
      registers,
    });
  }

  /** What the delivery of one sink tells. */
  events(sink: string): DeliveryEvents {
    const count = (outcome: string) => {
      const child = this.#records.labels(sink, outcome);
      return (records: number) => child.inc(records);
    };
    return {
      delivered: count('delivered'),
      refused: count('refused'),
      filtered: count('filtered'),
      retried: (records, cause) => this.#retries.labels(sink, cause).inc(records),
      request: (durationMs, outcome) => this.#requests.labels(sink, outcome).observe(durationMs / SECOND_MS),
    };
  }
}

/** Gauges of what the deliveries are doing now. */
export function observeDeliveries(
  registry: Registry,
  states: () => readonly (readonly [sink: string, state: DeliveryState])[],
): void {
  const scraped = atScrape(registry);
  const gauge = (name: string, help: string, value: (state: DeliveryState) => number) =>
    scraped.gauge(name, help, ['sink'], (report) => {
      for (const [sink, state] of states()) report({ sink }, value(state));
    });
  gauge('sink_requests_in_flight', 'Requests under way.', (state) => state.requestsInFlight);
  gauge('sink_in_flight_bytes', 'Bytes of records in them.', (state) => state.bytesInFlight);
  gauge(
    'sink_concurrency_limit',
    'Requests that the destination bears at once.',
    (state) => state.concurrency,
  );
  gauge('sink_failures', 'Failures in a row; 0 while all is well.', (state) => state.failures);
}

/** Gauges of what waits in the outbox. */
export function observeOutbox(registry: Registry, outbox: { stats(): OutboxStats }): void {
  const scraped = atScrape(registry);
  const gauge = (name: string, help: string, value: (stats: OutboxStats) => number) =>
    scraped.gauge(name, help, [], (report) => report({}, value(outbox.stats())));
  const age = ({ oldestMs }: OutboxStats) =>
    oldestMs === undefined ? 0 : Math.max(0, Date.now() - oldestMs) / SECOND_MS;
  gauge('outbox_records', 'Records that wait for at least one sink.', (stats) => stats.records);
  gauge('outbox_bytes', 'Their bytes.', (stats) => stats.bytes);
  gauge('outbox_oldest_seconds', 'How long the oldest of them has waited.', age);

  const counter = (name: string, help: string, value: (stats: OutboxStats) => number) =>
    scraped.counter(name, help, [], (report) => report({}, value(outbox.stats())));
  counter('outbox_corruptions_total', 'Databases that were moved aside.', (stats) => stats.corruptions);
  counter(
    'outbox_lost_records_total',
    'Records in them that were not delivered.',
    (stats) => stats.recordsLost,
  );

  scraped.gauge('sink_backlog_records', 'Records that the sink has not confirmed.', ['sink'], (report) => {
    for (const { name, records } of outbox.stats().sinks) report({ sink: name }, records);
  });
  scraped.counter(
    'sink_dropped_records_total',
    'Records that a full outbox dropped before the sink had them.',
    ['sink'],
    (report) => {
      for (const { name, dropped } of outbox.stats().sinks) report({ sink: name }, dropped);
    },
  );
}
