import { Counter, Gauge, type Registry } from 'prom-client';
import { PREFIX } from './names.ts';

/** Gives one series its value; without a value a gauge's series is not there, and a counter without labels is 0. */
type Report = (labels: Readonly<Record<string, string>>, value: number | undefined) => void;
type Define = (
  name: string,
  help: string,
  labelNames: readonly string[],
  read: (report: Report) => void,
) => void;

/** Makes metrics of what is counted elsewhere: read at every scrape, and a series that is not reported is gone. */
export function atScrape(registry: Registry): { readonly gauge: Define; readonly counter: Define } {
  const common = (name: string, help: string, labelNames: readonly string[]) => ({
    name: PREFIX + name,
    help,
    labelNames,
    registers: [registry],
  });
  return {
    gauge(name, help, labelNames, read) {
      new Gauge({
        ...common(name, help, labelNames),
        collect() {
          this.reset();
          read((labels, value) => (value === undefined ? this.remove(labels) : this.set(labels, value)));
        },
      });
    },
    counter(name, help, labelNames, read) {
      new Counter({
        ...common(name, help, labelNames),
        collect() {
          this.reset();
          read((labels, value) => this.inc(labels, value ?? 0));
        },
      });
    },
  };
}
