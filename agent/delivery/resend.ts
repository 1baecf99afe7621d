import { readFileSync, unlinkSync } from 'node:fs';
import { type Clock, systemClock } from '../clock.ts';
import type { RecordSource, StoredBlock } from '../outbox/types.ts';
import { Delivery } from './delivery.ts';
import type { DeliveryOptions, DeliveryParts } from './types.ts';

/**
 * Sends a sink's dead letters again. Whoever wants that renames the sink's dead letters,
 *
 *     mv dead-letters/search.ndjson dead-letters/search.resend.ndjson
 *
 * and restarts the agent or lets it reload its configuration. The file goes when all of its records are delivered
 * or refused again; those are dead letters once more. An agent that ends before begins anew with the whole file.
 * @returns the records that were in the file; 0 when there is none
 * @throws what the file system says
 */
export async function resendDeadLetters(
  options: DeliveryOptions,
  parts: Omit<DeliveryParts, 'source'>,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<number> {
  const path = parts.deadLetters.resendPath;
  const block = readLetters(path);
  if (block === undefined) return 0;
  const source = new LetterSource(block);
  // The filter is left out: these records have passed it once.
  const { accept: _, ...rest } = options;
  const delivery = new Delivery(rest, { ...parts, source }, clock);
  const stop = () => void delivery.stop(0);
  signal.addEventListener('abort', stop);
  await delivery.drain();
  signal.removeEventListener('abort', stop);
  await delivery.stop(0);
  if (source.isDone) unlinkSync(path);
  return block.count;
}

const RECORD_KEY = Buffer.from('","record":');

/** The letters' records as one block; what is not a letter is passed over. */
function readLetters(path: string): StoredBlock | undefined {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const records: Buffer[] = [];
  for (let start = 0; start < file.length; ) {
    const newline = file.indexOf(0x0a, start);
    if (newline < 0) break;
    // The key as it stands here cannot occur within the reason, where quotes are escaped.
    const key = file.subarray(start, newline).indexOf(RECORD_KEY);
    if (key >= 0) {
      const json = file.subarray(start + key + RECORD_KEY.length, newline - 1);
      records.push(json, Buffer.from('\n'));
    }
    start = newline + 1;
  }
  return { first: 1, count: records.length / 2, committedMs: 0, bytes: Buffer.concat(records) };
}

/** One block as a source of its own. */
class LetterSource implements RecordSource {
  readonly #block: StoredBlock;
  #position = 1;

  constructor(block: StoredBlock) {
    this.#block = block;
  }

  get isDone(): boolean {
    return this.#position >= this.end();
  }

  read(position: number): StoredBlock | undefined {
    return position < this.end() ? this.#block : undefined;
  }

  position(): number {
    return this.#position;
  }

  begin(): number {
    return 1;
  }

  end(): number {
    return 1 + this.#block.count;
  }

  acknowledge(_sink: string, position: number): void {
    this.#position = position;
  }
}
