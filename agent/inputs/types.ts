import type { LineParser, UnparsableReason } from '../../parsers/line.ts';
import type { Checkpoint } from '../outbox/types.ts';

/** Takes the lines of an input, in order; called synchronously from `Input.poll`. */
export interface LineHandler {
  /**
   * A line that may be ours. It is `bytes[start, end)`, without newline and CR, in a buffer that is used again.
   * @param file whose line it is
   * @param offset where the line begins in its file, uncompressed
   */
  line(file: InputFile, bytes: Buffer, start: number, end: number, offset: number): void;
  /** Whole lines that hold none of the format's needles, and were not looked at. */
  foreign(lines: number): void;
  /** A line that never reached a parser. */
  refused(reason: UnparsableReason): void;
}

/** One file (its content, not its path) while it is read. */
export interface InputFile {
  readonly parser: LineParser;
  /**
   * The id of the record that this line makes, in ASCII: the same on every reading, whatever the file is called. It
   * holds until the next call.
   */
  recordId(bytes: Buffer, start: number, end: number, offset: number): Buffer;
}

/**
 * An input: the files of one entry under `inputs`, followed through rotation. It starts nothing by itself:
 * whoever holds it polls it, and commits its checkpoints together with what came of the lines.
 */
export interface Input {
  readonly name: string;
  /**
   * Finds files and reads at most about `bytesMax` of what they hold, handing every complete line over.
   * Never throws for what a file system does.
   * @returns bytes read; 0 when every file is quiet
   */
  poll(nowMs: number, bytesMax: number, handler: LineHandler): number;
  /** How long to wait until the next `poll` is worth it, ms: less while lines arrive, more when all is quiet. */
  nextPollMs(nowMs: number): number;
  /** What changed since the last call: after it, exactly the lines handed over so far count as read. */
  checkpoints(): { put: Checkpoint[]; forget: string[] };
  /** Bytes that are there and not yet read, by path; for metrics. */
  lag(): { path: string; bytes: number }[];
  close(): void;
}
