import type { Conformance, Destination } from '../conformance.ts';
import { HttpFixture, type Reaction, type ReceivedRequest } from '../http-fixture.ts';
import { configure } from './common.ts';
import { BUSY, type HecEvent, SplunkHecServer } from './splunk-hec-server.ts';

export const splunkHec = splunk('splunk_hec, without acknowledgement', false, {
  concurrency: 1,
  records: 200,
});
export const splunkHecAcknowledged = splunk('splunk_hec, acknowledged, 8 at once', true, {
  concurrency: 8,
  records: 500,
});

interface SplunkDestination extends Destination {
  readonly server: SplunkHecServer;
  readonly way: HttpFixture;
}

function splunk(
  name: string,
  hasAcknowledgement: boolean,
  { concurrency, records }: { concurrency: number; records: number },
): Conformance<SplunkDestination> {
  return {
    name,
    destination: 'fixture of the protocol',
    guarantee: 'at least once',
    async create() {
      const server = new SplunkHecServer();
      server.hasAcknowledgement = hasAcknowledgement;
      const way = new HttpFixture();
      way.react = (request) => server.answer(request);
      await way.start();
      return {
        server,
        way,
        config: configure({
          type: 'splunk_hec',
          url: way.origin,
          token: server.token,
          concurrency,
          acknowledgement: { poll_interval: '100ms' },
          request_timeout: '1s',
          retry: { backoff_min: '10ms', backoff_max: '100ms' },
          batch: { records_max: records, age_max: '0ms' },
        }),
        received: () => server.indexed.map(idOf),
        close: () => way.kill(),
      };
    },
    faults: {
      accepts: () => {},
      'refuses one record': ({ server }) => {
        server.isBroken = (event) => idOf(event) === 'r123';
        return { refusedId: 'r123' };
      },
      'is too small for a batch': ({ server, way }) => {
        way.react = (request) =>
          request.body.length > 30_000 ? { kind: 'answer', status: 413 } : server.answer(request);
      },
      throttles: (destination) => first(destination, [BUSY, BUSY, { kind: 'answer', status: 429 }]),
      'refuses credentials': ({ server, way }) => {
        let seen = 0;
        way.react = (request) => {
          server.isTokenEnabled = ++seen > 2;
          return server.answer(request);
        };
      },
      stalls: (destination) => first(destination, [{ kind: 'stall' }, { kind: 'stall' }]),
      'resets mid-body': ({ server, way }) => {
        way.cutNext = 2;
        let seen = 0;
        // The events are taken, and the answer is lost.
        way.react = (request) => {
          const answer = server.answer(request);
          return ++seen <= 2 ? { kind: 'reset_after_body' } : answer;
        };
      },
      'answers garbage': (destination) =>
        first(destination, [
          { kind: 'garbage' },
          { kind: 'torn_answer' },
          { kind: 'answer', status: 200, body: '<html>Welcome</html>' },
        ]),
      'outage, 50,000 records waiting': ({ way }) => {
        const down = way.kill();
        return {
          end: async () => {
            await down;
            await way.start();
          },
        };
      },
      'killed in mid-stream': ({ server, way }) => {
        let seen = 0;
        way.react = (request) => {
          if (++seen !== 5) return server.answer(request);
          server.crash();
          void way.kill().then(() => way.start());
          return { kind: 'stall' };
        };
      },
      'agent killed in mid-stream': () => {},
    },
  };
}

/** Reacts so to the first requests, and lets the server answer the rest. */
function first({ server, way }: SplunkDestination, reactions: readonly Reaction[]): void {
  let seen = 0;
  way.react = (request: ReceivedRequest) => reactions[seen++] ?? server.answer(request);
}

function idOf({ event }: HecEvent): string {
  return (event as { id: string }).id;
}
