import { Counter, type Registry } from 'prom-client';
import type { FileEvent } from '../inputs/trouble.ts';
import { PREFIX } from './names.ts';

/** What happens to the inputs' files, as counters. */
export class InputMetrics {
  readonly #events: Counter;
  readonly #nulBytes: Counter;
  readonly #bytes: Counter;

  constructor(registry: Registry) {
    const counter = (name: string, help: string, ...more: string[]) =>
      new Counter({ name: PREFIX + name, help, labelNames: ['input', ...more], registers: [registry] });
    this.#events = counter('input_file_events_total', 'What happened to files that are followed.', 'event');
    this.#nulBytes = counter('input_nul_bytes_total', 'NUL bytes that were passed over.');
    this.#bytes = counter('input_bytes_total', 'Bytes read.');
  }

  /** What one input tells of its files. */
  events(input: string): (event: FileEvent, amount: number) => void {
    return (event, amount) => {
      if (event === 'nul_bytes') this.#nulBytes.inc({ input }, amount);
      else this.#events.inc({ input, event }, amount);
    };
  }

  /** Bytes that one poll has read. */
  read(input: string, bytes: number): void {
    if (bytes > 0) this.#bytes.inc({ input }, bytes);
  }
}
