import type { Registry } from 'prom-client';
import type { OutboxStats } from '../outbox/types.ts';
import type { SetUp } from '../set-up.ts';
import { observeCluster } from './cluster-metrics.ts';
import { ConfigMetrics } from './config-metrics.ts';
import { DeliveryMetrics, observeDeliveries, observeOutbox } from './delivery-metrics.ts';
import { InputMetrics } from './input-metrics.ts';
import { createMetrics } from './metrics.ts';

/** What the metrics are of. */
export interface Service {
  readonly version: string;
  /** Of the configuration at the start. */
  readonly hash: string;
  readonly outbox: { stats(): OutboxStats };
  /** What is at work now; a reload replaces it. */
  current(): SetUp;
}

/** All metrics of a running agent. */
export class ServiceMetrics {
  readonly inputs: InputMetrics;
  readonly deliveries: DeliveryMetrics;
  readonly config: ConfigMetrics;
  readonly #registry: Registry;

  constructor(service: Service) {
    const current = () => service.current();
    this.#registry = createMetrics({
      version: service.version,
      accounts: () => current().intake.accounts,
      openWindows: () => current().intake.openWindows,
      lag: () =>
        current().inputs.flatMap((input) => input.lag().map((lag) => ({ input: input.name, ...lag }))),
    });
    this.config = new ConfigMetrics(this.#registry, service.hash);
    this.inputs = new InputMetrics(this.#registry);
    this.deliveries = new DeliveryMetrics(this.#registry);
    observeOutbox(this.#registry, service.outbox);
    observeCluster(this.#registry, () => current().cluster?.work);
    observeDeliveries(this.#registry, () =>
      Array.from(current().sinks, ([sink, { work }]) => [sink, work.delivery.state()] as const),
    );
  }

  async text(): Promise<{ contentType: string; text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
