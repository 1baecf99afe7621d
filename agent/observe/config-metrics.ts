import { Counter, Gauge, type Registry } from 'prom-client';
import { PREFIX } from './names.ts';

/** Which configuration is in force, and what became of later ones. */
export class ConfigMetrics {
  readonly #info: Gauge;
  readonly #successful: Gauge;
  readonly #timestamp: Gauge;
  readonly #reloads: Counter;

  /** @param hash of the configuration at the start */
  constructor(registry: Registry, hash: string) {
    const registers = [registry];
    const gauge = (name: string, help: string, ...labelNames: string[]) =>
      new Gauge({ name: PREFIX + name, help, labelNames, registers });
    this.#info = gauge('config_info', 'Always 1; the hash is of the text that is in force.', 'hash');
    this.#successful = gauge('config_last_reload_successful', 'Whether the last change could be applied.');
    this.#timestamp = gauge('config_last_reload_success_timestamp_seconds', 'When it last was.');
    this.#reloads = new Counter({
      name: `${PREFIX}config_reloads_total`,
      help: 'Changes of the configuration.',
      labelNames: ['outcome'],
      registers,
    });
    this.#inForce(hash);
  }

  applied(hash: string): void {
    this.#reloads.inc({ outcome: 'applied' });
    this.#inForce(hash);
  }

  refused(): void {
    this.#reloads.inc({ outcome: 'refused' });
    this.#successful.set(0);
  }

  #inForce(hash: string): void {
    this.#info.reset();
    this.#info.set({ hash }, 1);
    this.#successful.set(1);
    this.#timestamp.set(Date.now() / 1000);
  }
}
