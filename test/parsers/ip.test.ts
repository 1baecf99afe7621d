import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalIp, canonicalIpBytes } from '../../parsers/ip.ts';

describe('canonical addresses', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['fe80:0000:0000:0000:0042:0000:0000:0001', 'fe80::42:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['2001:DB8::A', '2001:db8::a'],
    ['0:0:0:0:0:ffff:102:304', '::ffff:1.2.3.4'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  it.each([
    ...[
      '',
      '1.2.3',
      '1.2.3.',
      '.1.2.3',
      '1.2.3.4.',
      '1..2.3',
      '256.1.1.1',
      '01.2.3.4',
      '1.2.3.4/32',
      ' 1.2.3.4',
    ],
    ...[
      '1:',
      ':1',
      ':',
      ':::',
      '1:::2',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '::1:2:3:4:5:6:7:8',
    ],
    ...[
      '12345::',
      'fe80::1%eth0',
      'g::',
      '1.2.3.4::',
      '::1.2.3',
      '1:2:3:4:5:6:7:1.2.3.4',
      '１.2.3.4',
      '::ffff:1.2.3.4 ',
    ],
  ])('refuses %j', (text) => {
    expect(canonicalIp(text)).toBeUndefined();
  });

  it('gives for every IPv6 address what the platform gives', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const own = canonicalIp(text);
        expect(own).toBeDefined();
        const platform = new SocketAddress({ address: text, family: 'ipv6' }).address;
        expect(canonicalIp(platform)).toBe(own);
        expect(canonicalIp(own!)).toBe(own);
      }),
    );
  });

  it('looks at nothing outside its range', () => {
    const bytes = Buffer.from('9999.2.3.4567');
    expect(canonicalIpBytes(bytes, 3, 10)).toBe('9.2.3.4');
    expect(canonicalIpBytes(Buffer.from('1::2'), 0, 2)).toBeUndefined();
  });
});
