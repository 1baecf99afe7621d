import type { Conformance, Destination } from '../conformance.ts';
import { HttpFixture, type Reaction, type ReceivedRequest } from '../http-fixture.ts';
import { configure, idsOf } from './common.ts';

const OK: Reaction = { kind: 'answer', status: 200 };

export const httpNdjson = http('http, NDJSON', { framing: 'newline_delimited', concurrency: 1 });
export const httpArray = http('http, array, gzip, 4 at once', {
  framing: 'json_array',
  compression: 'gzip',
  concurrency: 4,
});

function http(
  name: string,
  options: { framing: 'newline_delimited' | 'json_array'; compression?: 'gzip'; concurrency: number },
): Conformance<Destination & { server: HttpFixture }> {
  const parse = (body: string): string[] =>
    options.framing === 'newline_delimited'
      ? idsOf(body)
      : JSON.parse(body).map(({ id }: { id: string }) => id);
  /** Reacts so to the first requests, and accepts the rest. */
  const first = (count: number, reaction: Reaction) => {
    let seen = 0;
    return (): Reaction => (++seen <= count ? reaction : OK);
  };
  return {
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
          retry: { backoff_min: '10ms', backoff_max: '100ms' },
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
  };
}

function answer(status: number, body = '') {
  return { kind: 'answer', status, body } as const;
}
