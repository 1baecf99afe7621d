import { expect, test } from 'vitest';
import { communityId } from '../../../sinks/encodings/community-id.ts';

// Values from the reference implementation.
test.each([
  ['TCP', 6, ['10.0.0.1', 40_000, '10.0.0.2', 443], '1:UWHKJ/x6OQ1YiVv4rIl0t3yhjg8='],
  ['its way back', 6, ['10.0.0.2', 443, '10.0.0.1', 40_000], '1:UWHKJ/x6OQ1YiVv4rIl0t3yhjg8='],
  ['IPv6', 17, ['2001:db8::1', 5353, 'fe80::2', 53], '1:GvzR/Qw0GPRBeWKuNxNIhLXshrs='],
  ['SCTP', 132, ['192.168.170.8', 7, '192.168.170.56', 80], '1:jQgCxbku+pNGw8WPbEc/TS/uTpQ='],
  ['no ports', 50, ['10.0.0.2', undefined, '10.0.0.1', undefined], '1:dX+1pd7Z9Y9hJE/IuQlfvK7bxuA='],
  [
    'IPv4 in IPv6',
    50,
    ['::ffff:10.0.0.2', undefined, '::ffff:10.0.0.1', undefined],
    '1:ylnmGYxFKIB3LZEtMYPJOw507vs=',
  ],
  ['a port unknown', 6, ['10.0.0.1', 40_000, '10.0.0.2', undefined], undefined],
  ['an address unknown', 6, [undefined, 40_000, '10.0.0.2', 80], undefined],
  ['no address', 6, ['pod', 40_000, '10.0.0.2', 80], undefined],
  ['ICMP of unknown type', 1, ['10.0.0.1', undefined, '10.0.0.2', undefined], undefined],
] as const)('%s', (_, number, [src_ip, src_port, dest_ip, dest_port], id) => {
  const connection = { src_ip, src_port, dest_ip, dest_port, protocol: '' } as never;
  expect(communityId(connection, number, undefined)).toBe(id);
});

test.each([
  ['echo', 1, '192.168.0.89', '192.168.0.1', 8, 0, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
  ['its reply', 1, '192.168.0.1', '192.168.0.89', 0, 0, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
  ['unreachable', 1, '192.168.0.89', '192.168.0.1', 3, 1, '1:LXCfhMUFbYXe+CEMrQuZCbiLY3o='],
  ['unreachable, the other way', 1, '192.168.0.1', '192.168.0.89', 3, 1, '1:o3zT92uTgnRWv/YrDVeXcWumpC4='],
  ['neighbour solicitation', 58, 'fe80::1', 'fe80::2', 135, 0, '1:7IIPGNVAHI2udmsuJVpA3RMOAqc='],
  ['its answer', 58, 'fe80::2', 'fe80::1', 136, 0, '1:7IIPGNVAHI2udmsuJVpA3RMOAqc='],
])('ICMP: %s', (_, number, src_ip, dest_ip, type, code, id) => {
  expect(communityId({ src_ip, dest_ip, protocol: '' }, number, { type, code })).toBe(id);
});
