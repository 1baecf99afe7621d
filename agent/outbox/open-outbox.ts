import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../observe/log.ts';
import { OutboxError } from './failure.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';

const OPEN_RETRY_MS = 5000;

/**
 * Opens the outbox. What may pass by itself (permissions, a full disk, a failing one) is logged and tried again
 * until it works or `signal` is aborted.
 * @param wait for tests
 * @throws OutboxError when another agent has the file, or a newer version wrote it
 */
export async function openOutbox(
  options: OutboxOptions,
  log: Log,
  signal?: AbortSignal,
  wait: (ms: number, value: undefined, options: { signal?: AbortSignal }) => Promise<unknown> = delay,
): Promise<Outbox> {
  let logged: string | undefined;
  for (;;) {
    try {
      const outbox = new Outbox(options, log);
      outbox.open();
      return outbox;
    } catch (error) {
      if (!(error instanceof OutboxError) || !error.canRetry) throw error;
      if (error.message !== logged) log.error({ reason: error.reason }, `${error.message}; trying again`);
      logged = error.message;
      await wait(OPEN_RETRY_MS, undefined, signal ? { signal } : {});
    }
  }
}
