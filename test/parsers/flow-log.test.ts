import { describe, expect, it, test } from 'vitest';
import { flowLogFormat } from '../../parsers/flow-log.ts';
import { readFlowLogPolicy } from '../../parsers/flow-log-policy.ts';
import type { FlowLine } from '../../parsers/line.ts';
import { parseGoldens } from '../helpers/parse-goldens.ts';
import { Random } from '../helpers/random.ts';

const format = flowLogFormat({ input: 'flows', node: 'node-of-the-agent' });
const goldens = ['lines', 'refused'].flatMap((name) => parseGoldens('flow-log', name, format));

test.each(goldens)('golden: $name', ({ got, expected }) => expect(got).toBe(expected));

const TEXT =
  '1528842551 1528842851 wep dev rails-81531* - wep dev memcached-38456* - - - 6 - 3000 7 3 4 out 154 61 70111 49404 deny';

function flow(text: string): FlowLine {
  const bytes = Buffer.from(text);
  const parsed = format.open().parse(bytes, 0, bytes.length, 0);
  if (parsed.kind !== 'flow') throw new Error(`not a flow: ${JSON.stringify(parsed)}`);
  return parsed;
}

describe('a flow line', () => {
  it('has the time, count, packets and bytes of its record', () => {
    expect(flow(TEXT)).toMatchObject({
      disposition: 'deny',
      timeUs: 1528842551e6,
      count: 7,
      packets: 215,
      bytes: 119515,
      srcPort: -1,
    });
    expect(flow(TEXT).timestamp()).toBe('2018-06-12T22:29:11Z');
  });

  it('keeps its key when time, source port and counters change', () => {
    const later = TEXT.replaceAll('1528842', '1528843')
      .replace(' 6 - ', ' 6 41000 ')
      .replace(' 7 3 ', ' 9 4 ');
    expect(later).not.toBe(TEXT);
    expect(flow(later).keyEquals(flow(TEXT).copyKey())).toBe(true);
    expect(flow(later).keyHash()).toBe(flow(TEXT).keyHash());
    expect(flow(TEXT.replace('rails', 'cars')).keyEquals(flow(TEXT).copyKey())).toBe(false);
  });

  it('is foreign when empty', () => {
    expect(format.open().parse(Buffer.from(''), 0, 0, 0)).toEqual({ kind: 'foreign' });
  });
});

describe('a policy', () => {
  it.each([
    '',
    '0',
    '0|tier|name',
    'x|tier|name|allow',
    '0|tier|name|maybe',
    '0|tier|name|allow|x',
    '0|tier|name|allow|1|2',
  ])('is not read from %j', (text) => expect(readFlowLogPolicy(text)).toBeUndefined());
});

test('no mutation of a flow log throws', () => {
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
  const random = new Random(seed);
  const parser = format.open();
  const kinds: Record<string, number> = {};
  for (let n = 0; n < MUTATED_LINES; n++) {
    const line = Buffer.from(random.pick(goldens).line);
    for (let times = random.below(3); times >= 0; times--)
      line[random.below(line.length)] = random.below(256);
    const { kind } = parser.parse(
      line,
      0,
      line.length - (random.below(8) === 0 ? random.below(line.length) : 0),
      0,
    );
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  console.log(`flow_log fuzz: ${MUTATED_LINES} lines, FUZZ_SEED=${seed}`, kinds);
  expect(Object.keys(kinds).sort()).toEqual(['flow', 'unparsable']);
});

const MUTATED_LINES = 30_000;
