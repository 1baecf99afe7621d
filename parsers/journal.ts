import { Buffer } from 'node:buffer';

/** One entry of the journal, as far as a kernel message needs it. */
export interface JournalEntry {
  /** Whether the kernel wrote it. */
  readonly isKernel: boolean;
  readonly message: Buffer;
  /** When the kernel wrote it, µs since the epoch; NaN where the entry does not say. */
  readonly timeUs: number;
  /** The kernel's uptime stamp in µs, or -1. */
  readonly stampUs: number;
}

/**
 * Reads a line of `journalctl -o json`. The journal's own time is when journald read the message; how long that
 * was after the kernel wrote it is the distance of the two monotonic times.
 * @returns undefined for what is no JSON object
 */
export function readJournalEntry(line: string): JournalEntry | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return undefined;
  const fields = entry as Record<string, unknown>;
  const realtimeUs = micros(fields.__REALTIME_TIMESTAMP);
  const readUs = micros(fields.__MONOTONIC_TIMESTAMP);
  const stampUs = micros(fields._SOURCE_MONOTONIC_TIMESTAMP);
  const lateUs = readUs - stampUs;
  return {
    isKernel: fields._TRANSPORT === 'kernel',
    message: messageBytes(fields.MESSAGE),
    timeUs: lateUs > 0 ? realtimeUs - lateUs : realtimeUs,
    stampUs: Number.isNaN(stampUs) ? -1 : stampUs,
  };
}

/** journald writes text that is not UTF-8 as a list of bytes. */
function messageBytes(message: unknown): Buffer {
  if (typeof message === 'string') return Buffer.from(message);
  return Array.isArray(message) ? Buffer.from(message.map(Number)) : Buffer.alloc(0);
}

function micros(text: unknown): number {
  return typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
}
