import type { Fault } from '../../sinks/conformance.ts';
import type { HttpFixture, Reaction } from '../../sinks/http-fixture.ts';

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
