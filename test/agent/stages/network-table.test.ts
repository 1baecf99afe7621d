import fc from 'fast-check';
import { expect, test } from 'vitest';
import { containsAddress, readAddress } from '../../../agent/stages/network.ts';
import { NetworkTable, namedNetworks } from '../../../agent/stages/network-table.ts';

/** Few bits differ, so that networks hold each other. */
const octet = fc.constantFrom(0, 1, 10, 128, 192, 255);
const v4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const v6 = fc.tuple(octet, octet).map(([one, two]) => `2001:db8:${one.toString(16)}::${two.toString(16)}`);
const cidr = fc.oneof(
  fc.tuple(v4, fc.nat(32)).map(([address, bits]) => `${address}/${bits}`),
  fc.tuple(v6, fc.nat(128)).map(([address, bits]) => `${address}/${bits}`),
);

test('the longest network that holds an address, of two alike the first, as a search of all finds it', () => {
  fc.assert(
    fc.property(fc.array(cidr, { maxLength: 20 }), fc.oneof(v4, v6), (cidrs, text) => {
      const all = cidrs.flatMap((one, i) => namedNetworks(`net-${i}`, one));
      const address = readAddress(text)!;
      const holding = all.filter(({ network }) => containsAddress(network, address));
      const longest = Math.max(...holding.map(({ network }) => network.bits));
      const wanted = holding.find(({ network }) => network.bits === longest);
      expect(new NetworkTable(all).find(address)?.name).toBe(wanted?.name);
    }),
    { numRuns: 2000 },
  );
});

test('what is no network has no name', () => {
  expect(namedNetworks('x', '10.0.0.0/33')).toEqual([]);
  expect(namedNetworks('x', 'example.com')).toEqual([]);
});
