import { type Logger, pino } from 'pino';

export type { Logger };

/** As much of a log as most parts need. */
export type Log = Pick<Logger, 'info' | 'warn' | 'error'>;

/**
 * The agent's own log: JSON lines on standard error, written synchronously so that the last line before an exit
 * is never lost. Records never mix with it.
 */
export function createLog(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
