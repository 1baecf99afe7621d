import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LinearRegExp } from '../../../agent/stages/linear-regexp.ts';

describe('a pattern matches', () => {
  test.each([
    ['nginx-internet-', 'nginx-internet-7d9f', true],
    ['^nginx-internet-.*$', 'my-nginx-internet-7d9f', false],
    ['^(pub|pvt)$', 'pub', true],
    ['^(pub|pvt)$', 'public', false],
    ['(?i)^DEV$', 'dev', true],
    ['(?i)[^a]', 'A', false],
    ['a(?i)b(?-i)c', 'aBc', true],
    ['a(?i)b(?-i)c', 'aBC', false],
    ['(?i:a)b', 'Ab', true],
    ['(?i:a)b', 'AB', false],
    ['^a{2,3}$', 'aaaa', false],
    ['^a{2,}$', 'aaaa', true],
    ['a{,2}', 'a{,2}', true],
    ['\\bdev\\b', 'my-dev-ns', true],
    ['\\bdev\\b', 'mydevns', false],
    ['^.$', '😀', true],
    ['^[😀-😂]$', '😁', true],
    ['(?s)a.b', 'a\nb', true],
    ['a.b', 'a\nb', false],
    ['\\x41\\x{1F600}', 'A😀', true],
    ['(?P<ns>dev)-', 'dev-1', true],
    ['[]a]', ']', true],
    ['[a-]', '-', true],
    ['', '', true],
    ['|x', 'y', true],
    ['(?i)É', 'é', true],
  ])('%s in %s: %s', (pattern, text, expected) => {
    expect(new LinearRegExp(pattern).test(text)).toBe(expected);
  });
});

describe('a pattern that is none is refused', () => {
  test.each([
    ['(', 'a ( without its )'],
    [')', 'a ) without its ('],
    ['[a', 'a [ without its ]'],
    ['[b-a]', 'a range in [ ]'],
    ['*a', 'nothing to repeat'],
    ['a**', 'a repetition of a repetition'],
    ['a{3,2}', 'no repetition'],
    ['a{1001}', 'no repetition'],
    ['(?=a)', '(? begins no group'],
    ['(a)\\1', '\\1 is not known'],
    ['\\', 'a backslash at the end'],
    ['\\xZ1', '\\x needs'],
    ['[[:alpha:]]', '[:name:] is not known'],
    ['((a{1000}){1000}){1000}', 'too large'],
  ])('%s', (pattern, problem) => {
    expect(() => new LinearRegExp(pattern)).toThrow(problem);
  });
});

/** Random patterns of the syntax that both engines read alike. */
const pattern = fc.letrec<{ node: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', '-', '\\.', '.', '\\d', '\\w', '\\S') },
    { weight: 2, arbitrary: fc.constantFrom('[ab]', '[^a]', '[a-c1]', '[^\\d-]', '\\b', '\\B', '^', '$') },
    { weight: 2, arbitrary: tie('node').map((node) => `(?:${node})`) },
  ),
  node: fc.oneof(
    { maxDepth: 4 },
    tie('atom'),
    fc.tuple(tie('node'), tie('node')).map(([one, other]) => one + other),
    fc.tuple(tie('node'), tie('node')).map(([one, other]) => `${one}|${other}`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,2}', '{2,}', '*?'))
      .map(([node, repeat]) => `(?:${node})${repeat}`),
  ),
})).node;

test('agrees with V8 on what both can read', () => {
  const texts = fc.array(
    fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '-', '.', '\n', 'é'), maxLength: 8 }),
    { minLength: 5, maxLength: 5 },
  );
  fc.assert(
    fc.property(pattern, texts, (source, candidates) => {
      const [ours, theirs] = [new LinearRegExp(source), new RegExp(source, 'u')];
      for (const text of candidates)
        expect([source, text, ours.test(text)]).toEqual([source, text, theirs.test(text)]);
    }),
    { numRuns: 3000 },
  );
});

test('a pattern that makes V8 try 2^n ways is answered', () => {
  expect(new LinearRegExp('^(a+)+$').test(`${'a'.repeat(60_000)}b`)).toBe(false);
});
