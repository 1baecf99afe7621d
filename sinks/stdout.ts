import type { Batch, Outcome, Sink, SinkContext } from './sink.ts';
import { skipBytes, writePieces } from './write-pieces.ts';

const STDOUT = 1;

/**
 * Records on standard output, one JSON object a line.
 *
 * - It writes to the descriptor from the thread pool, for `process.stdout` holds up the whole process where a
 *   pipe's reader is slow. A record is delivered when the kernel took its whole line.
 * - When a descriptor that does not block has no room left, the rest of a torn line is written first next time,
 *   for the next batch begins with that record. It wants one batch at a time, in order.
 * - A reader that has gone (EPIPE) asks the agent to stop.
 */
export class StdoutSink implements Sink {
  readonly #context: SinkContext;
  readonly #fd: number;
  /** Bytes of the next record's line that were written already. */
  #tornBytes = 0;

  constructor(context: SinkContext, fd = STDOUT) {
    this.#context = context;
    this.#fd = fd;
  }

  async send(batch: Batch): Promise<Outcome> {
    const { bytes, error } = await writePieces(this.#fd, skipBytes(batch.ndjson, this.#tornBytes), null);
    if (error === undefined) {
      this.#tornBytes = 0;
      return { kind: 'delivered' };
    }
    if (error.code === 'EPIPE') this.#context.stop('standard output is closed');
    const reason = `cannot write to standard output: ${error.message}`;
    const done = this.#countWhole(batch, bytes);
    if (done === 0) return { kind: 'retry', cause: error.code === 'EAGAIN' ? 'busy' : 'error', reason };
    const again = Array.from({ length: batch.count - done }, (_, index) => done + index);
    return { kind: 'delivered', again, reason };
  }

  async close(): Promise<void> {}

  /** How many records went out whole; what is left over belongs to the next one. */
  #countWhole(batch: Batch, written: number): number {
    let rest = this.#tornBytes + written;
    let done = 0;
    for (const { json } of batch.records) {
      if (rest < json.length + 1) break;
      rest -= json.length + 1;
      done++;
    }
    this.#tornBytes = rest;
    return done;
  }
}
