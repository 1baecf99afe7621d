import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../parsers/byte-writer.ts';
import { PrefixRules } from '../../parsers/prefix.ts';

interface Options {
  prefixes?: string[];
  prefixTemplate?: string;
  dispositions?: { prefix?: string; policy?: string; disposition: 'allow' | 'deny' | 'unknown' }[];
}

function prefixOf(raw: string, { prefixes = [], prefixTemplate, dispositions = [] }: Options) {
  const bytes = Buffer.from(raw);
  const prefix = new PrefixRules({ prefixes, prefixTemplate, dispositions }).of(bytes, 0, bytes.length);
  const json = new ByteWriter();
  json.open(Buffer.alloc(1024), 0);
  json.piece(prefix.verdictJson);
  json.openAt(0);
  const verdict = JSON.parse(`${json.out.toString('utf8', 0, json.at)}}`);
  return { ...prefix, policies: verdict.policies };
}

describe('which prefixes are ours', () => {
  it.each([
    ['calico-packet', 'calico-packet: ', true],
    ['calico-packet: ', 'calico-packet', true],
    ['calico-packet', 'calico-packet default np a: ', true],
    ['calico-packet', 'calico-packet-2: ', false],
    ['calico-packet', 'calico-packets: ', false],
    ['calico-packet', 'my calico-packet: ', false],
    ['calico-packet', '', false],
    ['calico-response-*', 'calico-response-est: ', true],
    ['calico-response-*', 'calico-response: ', false],
    ['*', 'anything at all ', true],
    ['/^(calico|k3s)-/', 'k3s-drop: ', true],
    ['/^(calico|k3s)-/', 'not calico-drop: ', false],
    ['/^$/', '', true],
    ['[UFW BLOCK]', '[UFW BLOCK] ', true],
    ['[UFW *]', '[UFW AUDIT] ', true],
    ['DROP by policy', 'DROP by policy shop/db ', true],
    ['Antrea:*', 'Antrea:I:Drop:rule-1:', true],
    ['a-prefix-that-is-longer-than-29-characters', 'a-prefix-that-is-longer-than-', true],
    ['a-prefix-that-is-longer-than-29-characters', 'a-prefix-that-is-longer-than: ', false],
    ['tab\tbed', 'tab#011bed: ', true],
  ])('%j and %j: %s', (pattern, raw, ours) => {
    expect(prefixOf(raw, { prefixes: [pattern] }).ours).toBe(ours);
  });

  it('keeps the text without the colon that closes it', () => {
    expect(prefixOf('calico-packet: ', {}).text).toBe('calico-packet');
    expect(prefixOf('Antrea:I:Drop:rule-1:', {}).text).toBe('Antrea:I:Drop:rule-1');
  });

  it('knows a line that was cut and ran together with the next', () => {
    expect(prefixOf('calico-packet: IN=ca2026-09-05T14:34:42Z node-1 kernel: calico-packet: ', {}).torn).toBe(
      true,
    );
    expect(prefixOf('calico-packet: ', {}).torn).toBe(false);
  });
});

describe('policies in a prefix', () => {
  it.each([
    [
      'calico-packet %t %k %p',
      'calico-packet default np shop/allow-db: ',
      { name: 'allow-db', namespace: 'shop', kind: 'np', tier: 'default' },
    ],
    [
      'calico-packet %t %k %p',
      'calico-packet default gnp all: ',
      { name: 'all', kind: 'gnp', tier: 'default' },
    ],
    [
      'calico-packet %t %k %p: ',
      'calico-packet default gnp all',
      { name: 'all', kind: 'gnp', tier: 'default', truncated: true },
    ],
    ['calico-packet %k %n', 'calico-packet knp web: ', { name: 'web', kind: 'knp' }],
    ['%n', 'web.front-1: ', { name: 'web.front-1' }],
    ['%k/%n', 'kcnp/x: ', { name: 'x', kind: 'kcnp' }],
    [
      'c %p',
      'c shop/db-with-a-long-name-in',
      { name: 'db-with-a-long-name-in', namespace: 'shop', truncated: true },
    ],
    [
      'c %k %p',
      'c gnp a-policy-with-a-long-na',
      { name: 'a-policy-with-a-long-na', kind: 'gnp', truncated: true },
    ],
    ['c %k %p', 'c gnp a-policy-with-a-long-nam', { name: 'a-policy-with-a-long-nam', kind: 'gnp' }],
    ['c %k %p', 'c gnp a-policy-with-a-long-na: ', { name: 'a-policy-with-a-long-na', kind: 'gnp' }],
    [
      'calico %k %p',
      'calico gnp a-policy-with-a-lo',
      { name: 'a-policy-with-a-lo', kind: 'gnp', truncated: true },
    ],
    ['calico %k %p', 'calico np a-namespace-that-is', undefined],
    ['calico %p', 'calico a-namespace-or-a-name-', undefined],
    ['calico %n %t', 'calico allow-all-of-it default: ', { name: 'allow-all-of-it', tier: 'default' }],
    ['calico %n %t', 'calico allow-all-of-it a-long', { name: 'allow-all-of-it' }],
    ['calico %t %n', 'calico a-tier-whose-name-is-lo', undefined],
    ['calico %t-%n', 'calico a-b: ', { name: 'b', tier: 'a' }],
    ['calico %t-%n', 'calico a-b-c: ', undefined],
    ['calico %n %n', 'calico a a: ', { name: 'a' }],
    ['calico %n %n', 'calico a b: ', undefined],
    ['calico %k %n', 'calico other name: ', undefined],
    ['calico (%n)', 'calico (x): ', { name: 'x' }],
  ])('%j reads %j as %j', (prefixTemplate, raw, policy) => {
    expect(prefixOf(raw, { prefixTemplate }).policies).toEqual(policy && [policy]);
  });

  it('are read with nft’s cut at 127 too', () => {
    const name = 'n'.repeat(127 - 'calico-packet np shop/'.length);
    expect(
      prefixOf(`calico-packet np shop/${name}`, { prefixTemplate: 'calico-packet %k %p' }).policies,
    ).toEqual([{ name, namespace: 'shop', kind: 'np', truncated: true }]);
  });

  it('make a prefix ours that fits the template', () => {
    expect(prefixOf('gnp.all: ', { prefixTemplate: '%k.%n' }).ours).toBe(true);
    expect(prefixOf('other: ', { prefixTemplate: '%k.%n' }).ours).toBe(false);
  });
});

describe('dispositions', () => {
  const prefixTemplate = 'calico-packet %k %p';
  it.each([
    ['calico-drop: ', 'deny'],
    ['calico-packet np shop/db: ', 'allow'],
    ['calico-packet np other/db: ', 'deny'],
    ['calico-packet np shop/web: ', 'unknown'],
  ])('of %j is %s', (raw, disposition) => {
    const dispositions = [
      { prefix: 'calico-drop', disposition: 'deny' as const },
      { policy: 'shop/db', disposition: 'allow' as const },
      { policy: 'db', disposition: 'deny' as const },
    ];
    expect(prefixOf(raw, { prefixTemplate, dispositions }).disposition).toBe(disposition);
  });

  it('are not given by a name that was cut', () => {
    const dispositions = [{ policy: 'a-policy-with-a-lo', disposition: 'deny' as const }];
    expect(
      prefixOf('calico gnp a-policy-with-a-lo', { prefixTemplate: 'calico %k %p', dispositions }).disposition,
    ).toBe('unknown');
  });
});
