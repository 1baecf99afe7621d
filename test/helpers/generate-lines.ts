import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type LineSource, MergedLines } from './generate/line-source.ts';
import { NoiseLines } from './generate/noise-lines.ts';
import { PacketLines } from './generate/packet-lines.ts';
import { PolicyActionLines } from './generate/policy-action-lines.ts';

/**
 * Lines as nodes write them, from a seed: the same seed gives the same bytes. `PacketLines`,
 * `PolicyActionLines` and `NoiseLines` are endless sources with times of their own; `generateFile` writes the
 * files that the measurements read, once, and says what is in them.
 */
export { type LineSource, MergedLines } from './generate/line-source.ts';
export { NoiseLines } from './generate/noise-lines.ts';
export { PacketLines } from './generate/packet-lines.ts';
export { PolicyActionLines } from './generate/policy-action-lines.ts';

/**
 * `dense`: every line is a packet's, most of them retries; `mixed`: one line in a hundred is; `gke`: JSON
 * lines of policy_action; `wide`: packets of 100,000 conversations at a time, which need as many windows.
 */
export type FileKind = 'dense' | 'mixed' | 'gke' | 'wide';

/** What a generated file holds. */
export interface GeneratedFile {
  path: string;
  bytes: number;
  lines: number;
  /** Lines that must become records when nothing is merged. */
  matching: number;
  /** Of them, the ones that windows of 5 s merge; undefined where the lines do not decide it. */
  merged?: number;
}

/** Changes whenever the generators write other bytes, so that files of older ones are not taken for theirs. */
const GENERATION = 1;
const CHUNK_CHARACTERS = 1 << 20;
/** All files begin at this time; it has a fixed year, for traditional stamps have none. */
export const START_US = Date.UTC(2026, 8, 5, 8, 0, 0) * 1000;

/** Writes a file of about `bytes` bytes under `folder`, or finds the one that an earlier call wrote. */
export function generateFile(folder: string, kind: FileKind, bytes: number, seed = 1): GeneratedFile {
  const path = join(folder, `${kind}-${bytes}-${seed}-v${GENERATION}.log`);
  const about = `${path}.json`;
  try {
    return JSON.parse(readFileSync(about, 'utf8'));
  } catch {
    mkdirSync(folder, { recursive: true });
  }
  const { source, packets } = fileSource(kind, seed);
  const unfinished = `${path}.${process.pid}.tmp`;
  const file = openSync(unfinished, 'w');
  let written = 0;
  let lines = 0;
  while (written < bytes) {
    let text = '';
    while (text.length < CHUNK_CHARACTERS && written + text.length < bytes) {
      text += source.next();
      lines++;
    }
    written += writeSync(file, Buffer.from(text, 'latin1'));
  }
  closeSync(file);
  renameSync(unfinished, path);
  const result: GeneratedFile = { path, bytes: written, lines, matching: packets?.lines ?? lines };
  // Stamps of whole seconds leave open which lines share a window.
  if (packets !== undefined && kind !== 'mixed') result.merged = packets.merged;
  writeFileSync(about, JSON.stringify(result));
  return result;
}

function fileSource(kind: FileKind, seed: number): { source: LineSource; packets?: PacketLines } {
  if (kind === 'gke')
    return { source: new PolicyActionLines({ seed, startUs: START_US, linesPerSecond: 400 }) };
  if (kind === 'mixed') {
    const common = { startUs: START_US, envelope: 'traditional' } as const;
    const packets = new PacketLines({ ...common, seed, linesPerSecond: 10, conversations: 20 });
    const noise = new NoiseLines({ ...common, seed: seed + 1, linesPerSecond: 990 });
    return { source: new MergedLines([packets, noise]), packets };
  }
  const conversations = kind === 'wide' ? 100_000 : 400;
  const packets = new PacketLines({
    seed,
    uptime: false,
    startUs: START_US,
    linesPerSecond: kind === 'wide' ? 100_000 : 2000,
    conversations,
  });
  return { source: packets, packets };
}
