import type { Retry } from '../sink.ts';

/** Something that a request needs could not be had: a token, or a name. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  readonly retry: Retry;

  constructor(cause: Retry['cause'], reason: string) {
    super(reason);
    this.retry = { kind: 'retry', cause, reason };
  }
}
