import type { KeptEntry } from './cloud.ts';

/**
 * What of Cloud Logging's query language GKE's page uses: comparisons of a field, joined by lines. A field that is a
 * list, or stands in one, is compared value by value; one that is not there fits nothing.
 */
export function findEntries(entries: readonly KeptEntry[], query: string): KeptEntry[] {
  const tests = query
    .split('\n')
    .map((line) => /^(?<path>[\w.]+)\s*(?<operator>=~|!=|>=|=)\s*"(?<wanted>.*)"$/.exec(line.trim())!.groups!)
    .map(({ path, operator, wanted }) => (entry: KeptEntry) => {
      const values = path!.split('.').reduce<unknown[]>(
        (found, step) => {
          const inner = found.flatMap((value) => (value as Record<string, unknown>)[step] ?? []);
          return inner;
        },
        [entry],
      );
      return values.some((value) => COMPARISONS[operator!]!(String(value), wanted!));
    });
  return entries.filter((entry) => tests.every((test) => test(entry)));
}

const COMPARISONS: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  '=': (value, wanted) => value === wanted,
  '!=': (value, wanted) => value !== wanted,
  '=~': (value, wanted) => new RegExp(wanted).test(value),
  '>=': (value, wanted) => Date.parse(value) >= Date.parse(wanted),
};
