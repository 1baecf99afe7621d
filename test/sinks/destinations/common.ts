import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { type SinkConfig, sinkSchema } from '../../../agent/config/schema.ts';

/** For behaviours of a server, where there is none. */
export const NOT_A_SERVER = { never: 'no server' };

/** A sink's configuration with its defaults. */
export function configure(input: Record<string, unknown>): SinkConfig {
  return z.parse(sinkSchema, { name: 'sink', ...input });
}

/** The ids of whole lines; what stands behind the last newline is torn. */
export function idsOf(ndjson: string): string[] {
  return ndjson
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).id);
}

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'sink-'));
}
