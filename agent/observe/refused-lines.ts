import type { Logger } from './log.ts';

const PERIOD_MS = 60_000;
const TEXT_BYTES_MAX = 300;

/**
 * Shows one of the lines that could not be read now and then, so that a person can see what is wrong with them: at most
 * one a minute for each input and reason. The metrics count all of them.
 */
export class RefusedLines {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #shownMs = new Map<string, number>();

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log;
  }

  /** @param line its bytes, `[start, end)`; only looked at where the line is shown */
  add(input: string, reason: string, line: Buffer, start: number, end: number, nowMs: number): void {
    const key = `${input} ${reason}`;
    if (nowMs - (this.#shownMs.get(key) ?? Number.NEGATIVE_INFINITY) < PERIOD_MS) return;
    this.#shownMs.set(key, nowMs);
    const text = line.toString('utf8', start, Math.min(end, start + TEXT_BYTES_MAX));
    this.#log.warn({ input, reason, line: text }, 'a line cannot be read; others like it are only counted');
  }
}
