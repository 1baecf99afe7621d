import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { type SinkConfig, sinkSchema } from '../../agent/config/schema.ts';
import { StdoutSink } from '../../sinks/stdout.ts';
import { conforms, type Destination, printConformance } from './conformance.ts';
import { HttpFixture, type Reaction, type ReceivedRequest } from './http-fixture.ts';

const NOT_A_SERVER = { never: 'no server' };

function configure(input: Record<string, unknown>): SinkConfig {
  return z.parse(sinkSchema, { name: 'sink', ...input });
}

function idsOf(ndjson: string): string[] {
  return ndjson
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).id);
}

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'sink-'));
}

conforms({
  name: 'stdout',
  destination: 'a file, a pipe',
  guarantee: 'at least once',
  async create() {
    const dir = folder();
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
});

conforms({
  name: 'file',
  destination: 'the file system',
  guarantee: 'exactly once',
  async create() {
    const dir = folder();
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
});

for (const [name, options] of [
  ['http, NDJSON', { encoding: 'ndjson', concurrency: 1 }],
  ['http, array, gzip, 4 at once', { encoding: 'json_array', compression: 'gzip', concurrency: 4 }],
] as const) {
  const parse = (body: string): string[] =>
    options.encoding === 'ndjson' ? idsOf(body) : JSON.parse(body).map(({ id }: { id: string }) => id);
  /** Reacts so to the first requests, and accepts the rest. */
  const first = (count: number, reaction: Reaction) => {
    let seen = 0;
    return (): Reaction => (++seen <= count ? reaction : OK);
  };
  conforms({
    name,
    destination: 'fixture',
    guarantee: 'at least once',
    async create() {
      const server = new HttpFixture();
      await server.start();
      return {
        server,
        config: configure({
          type: 'http',
          url: server.url,
          ...options,
          request_timeout: '500ms',
          retry: { backoff_min: '10ms', backoff_max: '50ms' },
          batch: { records_max: 100, age_max: '0ms' },
        }),
        received: () => server.accepted.flatMap(({ body }) => parse(body)),
        close: () => server.kill(),
      };
    },
    faults: {
      accepts: () => {},
      'refuses one record': ({ server }) => {
        const has = ({ body }: ReceivedRequest) => parse(body).includes('r123');
        server.react = (request) => (has(request) ? answer(400, 'r123 is bad') : OK);
        return { refusedId: 'r123' };
      },
      'is too small for a batch': ({ server }) => {
        server.react = ({ body }) => (body.length > 5000 ? answer(413) : OK);
      },
      throttles: ({ server }) => {
        server.react = first(3, { ...answer(429, 'slow down'), headers: { 'retry-after': '1' } });
      },
      'refuses credentials': ({ server }) => {
        server.react = first(2, answer(401));
      },
      stalls: ({ server }) => {
        server.react = first(2, { kind: 'stall' });
      },
      'resets mid-body': ({ server }) => {
        server.cutNext = 2;
        server.react = first(2, { kind: 'reset_after_body' });
      },
      'answers garbage': ({ server }) => {
        let seen = 0;
        const kinds = ['garbage', 'torn_answer', 'garbage'] as const;
        server.react = () => (seen < kinds.length ? { kind: kinds[seen++]! } : OK);
      },
      'outage, 50,000 records waiting': ({ server }) => {
        const down = server.kill();
        return {
          end: async () => {
            await down;
            await server.start();
          },
        };
      },
      'killed in mid-stream': ({ server }) => {
        let seen = 0;
        server.react = () => {
          if (++seen === 3) void server.kill().then(() => server.start());
          return seen === 3 ? { kind: 'stall' } : OK;
        };
      },
      'agent killed in mid-stream': () => {},
    },
  });
}

const OK: Reaction = { kind: 'answer', status: 200 };

function answer(status: number, body = '') {
  return { kind: 'answer', status, body } as const;
}

printConformance();
