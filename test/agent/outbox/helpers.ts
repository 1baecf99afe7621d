import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Log } from '../../../agent/observe/log.ts';
import { Outbox, type OutboxOptions } from '../../../agent/outbox/outbox.ts';

/** A folder that goes when the test ends. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'outbox-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface LogLine {
  readonly level: string;
  readonly details: Record<string, unknown>;
  readonly message: string;
}

/** A log that keeps its lines. */
export function memoryLog(): Log & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const take =
    (level: string) =>
    (details: unknown, message = '') =>
      lines.push({ level, details: details as Record<string, unknown>, message });
  return { lines, info: take('info'), warn: take('warn'), error: take('error') } as unknown as Log & {
    lines: LogLine[];
  };
}

/** An outbox at `path`, opened; closed when the test ends. */
export function openAt(path: string, options: Partial<OutboxOptions> = {}, log: Log = memoryLog()): Outbox {
  const defaults = { path, sizeMaxBytes: 1 << 30, whenFull: 'block', sinks: ['a'], lockWaitMs: 0 } as const;
  const outbox = new Outbox({ ...defaults, ...options }, log);
  outbox.open();
  onTestFinished(() => outbox.close());
  return outbox;
}

/** The ids of every record from `position` on. */
export function idsFrom(outbox: Outbox, position: number): string[] {
  const ids: string[] = [];
  for (let at = position; ; ) {
    const stored = outbox.read(at);
    if (stored === undefined) return ids;
    const lines = Buffer.from(stored.bytes).toString().trimEnd().split('\n');
    for (const line of lines.slice(Math.max(0, at - stored.first))) ids.push(JSON.parse(line).id);
    at = stored.first + stored.count;
  }
}
