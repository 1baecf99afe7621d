import { createHash } from 'node:crypto';
import type { Commit, RecordBlock } from '../../../agent/outbox/types.ts';

/** `count` records `{"id":"N"}` from `first` on; padding is of a kind that hardly packs. */
export function block(first: number, count: number, padding = 0): RecordBlock {
  const lines = Array.from({ length: count }, (_, n) => recordLine(first + n, padding));
  return { bytes: Buffer.from(lines.join('')), count };
}

function recordLine(n: number, padding: number): string {
  return `${JSON.stringify({ id: `r${n}`, ...(padding > 0 && { padding: noise(n, padding) }) })}\n`;
}

function noise(seed: number, length: number): string {
  const bytes = createHash('shake256', { outputLength: length }).update(`${seed}`).digest('base64');
  return bytes.slice(0, length);
}

export function change(parts: Partial<Commit>): Commit {
  return { checkpoints: [], forget: [], windows: { put: [], delete: [] }, values: [], blocks: [], ...parts };
}
