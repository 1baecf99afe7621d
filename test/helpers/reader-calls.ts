import type * as fs from 'node:fs';

/** What a reader of files asks the system for. */
const CALLS = [
  'closeSync',
  'fstatSync',
  'openSync',
  'readSync',
  'readdirSync',
  'realpathSync',
  'statSync',
] as const;

let between: ((call: string) => void) | undefined;

/** The real `node:fs`, but that `interrupted` can do something before each call; for `vi.mock`. */
export function interruptible(real: typeof fs): typeof fs {
  const calls = CALLS.map((name) => {
    const call = real[name] as (...args: unknown[]) => unknown;
    return [
      name,
      (...args: unknown[]) => {
        const step = between;
        between = undefined; // What is done in between is not interrupted itself.
        try {
          step?.(name);
        } finally {
          between = step;
        }
        return call(...args);
      },
    ];
  });
  return { ...real, ...Object.fromEntries(calls) };
}

/** Runs `body`, and `step` before each of its calls; what `step` throws the call throws. */
export function interrupted(step: (call: string) => void, body: () => void): void {
  between = step;
  try {
    body();
  } finally {
    between = undefined;
  }
}
