import type { Fault } from '../../sinks/conformance.ts';
import { HttpFixture, type Reaction } from '../../sinks/http-fixture.ts';
import type { ServerProcess } from '../servers/server-process.ts';

export const FORWARD: Reaction = { kind: 'forward' };

/** Has these reactions, one after the other, and then hands on what comes. */
export function first(reactions: readonly Reaction[]): () => Reaction {
  const rest = [...reactions];
  return () => rest.shift() ?? FORWARD;
}

/** A destination with the fixture before its real server. */
export interface OnTheWay {
  readonly way: HttpFixture;
}

/** A way to a server that hands on what comes. */
export async function wayTo(upstream: string): Promise<HttpFixture> {
  const way = new HttpFixture();
  await way.start();
  way.upstream = upstream;
  way.react = () => FORWARD;
  return way;
}

/** Kills a server, which comes back on what it has left when the fault ends. */
export async function outage(server: ServerProcess): Promise<{ end: () => Promise<void> }> {
  await server.kill();
  return { end: () => server.restart() };
}

/**
 * Hands on what comes, and kills the server at one of the requests; it comes back at once. The fault ends when the
 * server takes requests again, so that nobody asks it before for what it has.
 */
export function killAt(request: number, way: HttpFixture, server: ServerProcess) {
  const back = Promise.withResolvers<void>();
  let seen = 0;
  way.react = () => {
    if (++seen === request) back.resolve(server.stopAndRestart());
    return FORWARD;
  };
  return { end: () => back.promise };
}

/** Faults that may happen between any sink and its server. */
export const FAULTS_ON_THE_WAY = {
  'is too small for a batch': ({ way }) => {
    way.react = ({ bytes }) => (bytes.length > 20_000 ? { kind: 'answer', status: 413 } : FORWARD);
  },
  'refuses credentials': ({ way }) => {
    way.react = first([
      { kind: 'answer', status: 401 },
      { kind: 'answer', status: 401 },
    ]);
  },
  stalls: ({ way }) => {
    way.react = first([{ kind: 'stall' }, { kind: 'stall' }]);
  },
  'resets mid-body': ({ way }) => {
    way.cutNext = 2;
    way.react = first([{ kind: 'forward_then_reset' }, { kind: 'forward_then_reset' }]);
  },
  'answers garbage': ({ way }) => {
    way.react = first([{ kind: 'garbage' }, { kind: 'torn_answer' }, { kind: 'forward_then_reset' }]);
  },
} satisfies Record<string, Fault<OnTheWay>>;
