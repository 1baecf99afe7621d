import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Conformance, Destination } from '../conformance.ts';
import { configure, idsOf, makeFolder, NOT_A_SERVER } from './common.ts';

export const file: Conformance<Destination & { path: string }> = {
  name: 'file',
  destination: 'the file system',
  guarantee: 'exactly once',
  async create() {
    const dir = makeFolder();
    const path = join(dir, 'out', 'records.ndjson');
    return {
      path,
      config: configure({ type: 'file', path, rotate: { size_max: '3MiB', files_max: 50 } }),
      received: () => {
        const names = readdirSync(join(dir, 'out'));
        const numbered = names.map((name) => ({ name, n: Number(name.split('.')[2] ?? 0) }));
        numbered.sort((a, b) => b.n - a.n);
        return numbered.flatMap(({ name }) => idsOf(readFileSync(join(dir, 'out', name), 'utf8')));
      },
      close: () => rmSync(dir, { recursive: true }),
    };
  },
  faults: {
    accepts: () => {},
    'refuses one record': { never: 'it takes everything' },
    'is too small for a batch': { never: 'it takes everything' },
    throttles: NOT_A_SERVER,
    'refuses credentials': NOT_A_SERVER,
    stalls: NOT_A_SERVER,
    'resets mid-body': NOT_A_SERVER,
    'answers garbage': NOT_A_SERVER,
    'outage, 50,000 records waiting': ({ path }) => {
      // A folder stands where the file should be.
      mkdirSync(path, { recursive: true });
      return { end: () => rmdirSync(path) };
    },
    'killed in mid-stream': NOT_A_SERVER,
    'agent killed in mid-stream': () => {},
  },
};
