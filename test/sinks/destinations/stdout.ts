import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StdoutSink } from '../../../sinks/stdout.ts';
import type { Conformance, Destination } from '../conformance.ts';
import { configure, idsOf, makeFolder, NOT_A_SERVER } from './common.ts';

export const stdout: Conformance<Destination> = {
  name: 'stdout',
  destination: 'a file, a pipe',
  guarantee: 'at least once',
  async create() {
    const dir = makeFolder();
    const path = join(dir, 'out');
    const fd = openSync(path, 'a');
    const outputs: string[] = [];
    return {
      config: configure({ type: 'stdout' }),
      createSink: async (context) => new StdoutSink(context, fd),
      // Of an agent that was killed the last line may be torn; it is repeated whole.
      takeOutput: (bytes) => outputs.push(bytes.toString()),
      received: () => [readFileSync(path, 'utf8'), ...outputs].flatMap(idsOf),
      close: () => {
        closeSync(fd);
        rmSync(dir, { recursive: true });
      },
    } satisfies Destination;
  },
  faults: {
    accepts: () => {},
    'refuses one record': NOT_A_SERVER,
    'is too small for a batch': NOT_A_SERVER,
    throttles: NOT_A_SERVER,
    'refuses credentials': NOT_A_SERVER,
    stalls: NOT_A_SERVER,
    'resets mid-body': NOT_A_SERVER,
    'answers garbage': NOT_A_SERVER,
    'outage, 50,000 records waiting': NOT_A_SERVER,
    'killed in mid-stream': NOT_A_SERVER,
    'agent killed in mid-stream': () => {},
  },
};
