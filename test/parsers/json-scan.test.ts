import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { decodeJsonExactly, decodeJsonLine } from '../../parsers/json-decode.ts';
import { BAD, CUT, DEPTH_MAX, JsonScanner } from '../../parsers/json-scan.ts';
import { writeJsonText } from '../helpers/policy-action-arbitrary.ts';
import { Random } from '../helpers/random.ts';

/** @returns where the value ends, `BAD` or `CUT`; and what the scanner says of it */
function scan(text: string | Buffer): { end: number; plain: boolean; exact: boolean } {
  const bytes = Buffer.concat([Buffer.from('x'), Buffer.from(text), Buffer.from('"}]')]);
  const json = new JsonScanner();
  const length = bytes.length - 3;
  json.open(bytes, length);
  const value = json.value(json.space(1));
  const end = value < 0 ? value : json.space(value) === length ? length : BAD;
  return { end, plain: json.plain, exact: json.exact };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function compare(line: Buffer): void {
  const text = line.toString();
  const { end, plain, exact } = scan(line);
  expect(end > 0, text).toBe(isJson(text));
  if (end > 0 && plain && exact) expect(JSON.stringify(JSON.parse(text))).toBe(text);
  if (end > 0 && plain) expect(JSON.stringify(decodeJsonExactly(text))).toBe(text);
}

test('the scanner takes what JSON.parse takes, and calls plain only what is written the one way', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(), fc.constantFrom(0, 0.2), (value, seed, share) => {
      const random = new Random(seed);
      const chance = () => random.unit() < share;
      compare(Buffer.from(writeJsonText(value, chance, chance)));
    }),
    { numRuns: 3000 },
  );
});

test('the scanner refuses what JSON.parse refuses: texts with a byte changed, put in or left out', () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom(...'{}[]":,\\019eE+-.tfnu \t\n\0é'),
      fc.constantFrom(0, 1),
      fc.constantFrom(0, 1),
      (text, place, letter, put, leave) => {
        const bytes = Buffer.from(text);
        const at = place % (bytes.length + 1);
        const middle = put === 1 ? Buffer.from(letter) : Buffer.of();
        compare(Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + leave)]));
      },
    ),
    { numRuns: 20_000 },
  );
});

describe('the end of a text', () => {
  it.each([
    '{',
    '{"a',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '[',
    '[1',
    '[1,',
    '"a\\',
    '"\\u00',
    'tru',
    '-',
    '1.',
    '1e',
    '1e+',
  ])('%j is cut short', (text) => expect(scan(text).end).toBe(CUT));

  it.each([
    '}',
    '{a',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a" 1',
    '[,',
    '[1,]',
    '[1 2',
    '[1}',
    '01',
    '+1',
    '.5',
    '-a',
    '1.e',
    'nul1',
    '"\\x',
    '"\\u00g',
    '"\n"',
    '1 2',
    '\ufeff1',
  ])('%j can be no JSON', (text) => expect(scan(text).end).toBe(BAD));
});

it('takes values nested as deep as its bound, and no deeper', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  expect(scan(nested(DEPTH_MAX)).end).toBeGreaterThan(0);
  expect(scan(nested(DEPTH_MAX + 1)).end).toBe(BAD);
});

describe('decoding a line', () => {
  it.each(['12345678901234567890', '-0', '1.50', '1e3', '1E400', '9007199254740993', '0.1'])(
    'keeps %s as it is written',
    (number) => {
      const line = Buffer.from(`{"a":[${number}]}`);
      const decoded = decodeJsonLine(line, 0, line.length);
      expect(JSON.stringify('value' in decoded && decoded.value)).toBe(line.toString());
    },
  );

  it('gives ordinary numbers as numbers', () => {
    const line = Buffer.from(' [0, -1, 123456789012345] ');
    expect(decodeJsonLine(line, 0, line.length)).toEqual({ value: [0, -1, 123456789012345] });
  });
});
