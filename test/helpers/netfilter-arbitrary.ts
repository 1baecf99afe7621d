import fc from 'fast-check';
import { canonicalIp } from '../../parsers/ip.ts';

/** A packet as the kernel logs it, and what a record must say of it. */
export interface LoggedPacket {
  /** The message behind the envelope: prefix and packet. */
  message: string;
  prefix: string;
  connection: Record<string, unknown>;
  packet: Record<string, unknown>;
}

interface Part {
  text: string;
  packet?: Record<string, unknown>;
  connection?: Record<string, unknown>;
}

const part = (text: string, packet: Record<string, unknown> = {}, connection = {}): Part => ({
  text,
  packet,
  connection,
});
const NOTHING = part('');
const join = (...parts: Part[]): Part => ({
  text: parts.map(({ text }) => text).join(''),
  packet: Object.assign({}, ...parts.map(({ packet }) => packet)),
  connection: Object.assign({}, ...parts.map(({ connection }) => connection)),
});
const all = (...parts: fc.Arbitrary<Part>[]) => fc.tuple(...parts).map((list) => join(...list));
const maybe = (one: fc.Arbitrary<Part>) => fc.oneof(fc.constant(NOTHING), one);
const uint = (max: number) => fc.integer({ min: 0, max });
const decimal = (key: string, name: string, max: number) =>
  uint(max).map((n) => part(`${key}=${n} `, { [name]: n }));
const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const hexOf = (n: number, digits: number) => n.toString(16).padStart(digits, '0');
const words = (key: string, names: readonly string[]) =>
  fc
    .subarray([...names])
    .map((list) => part(list.map((name) => `${name} `).join(''), list.length > 0 ? { [key]: list } : {}));

/** Names as `dev_valid_name` allows them, but for what a syslog daemon would escape. */
const name = fc
  .string({ unit: fc.constantFrom(...'abcxyz019.-_@[]=#(){}IN"\\'), minLength: 1, maxLength: 15 })
  // The last `IN=` before ` OUT=` begins the packet, so no name may hold one.
  .filter((text) => !text.includes('IN=') && !/#[0-3][0-7]{2}/.test(text) && text !== '.' && text !== '..');
const mac = fc.array(hex(2), { minLength: 6, maxLength: 6 }).map((bytes) => bytes.join(':'));

const macPart = fc.oneof(
  fc.constant(NOTHING),
  fc.constant(part('MAC= ')),
  fc
    .array(hex(2), { minLength: 1, maxLength: 20 })
    .map((bytes) => part(`MAC=${bytes.join(':')} `, { mac: bytes.join(':') })),
  all(
    fc
      .tuple(mac, mac)
      .map(([src, dest]) => part(`MACSRC=${src} MACDST=${dest} `, { mac_src: src, mac_dest: dest })),
    maybe(
      fc
        .tuple(hex(4), uint(4095))
        .map(([protocol, vid]) =>
          part(`VPROTO=${protocol} VID=${vid} `, { vlan_protocol: protocol, vlan_id: vid }),
        ),
    ),
    hex(4).map((protocol) => part(`MACPROTO=${protocol} `, { mac_protocol: protocol })),
  ),
);

const addresses = (address: fc.Arbitrary<string>) =>
  fc
    .tuple(address, address)
    .map(([src, dest]) =>
      part(`SRC=${src} DST=${dest} `, {}, { src_ip: canonicalIp(src), dest_ip: canonicalIp(dest) }),
    );
const ports = fc
  .tuple(uint(65_535), uint(65_535))
  .map(([src, dest]) => part(`SPT=${src} DPT=${dest} `, {}, { src_port: src, dest_port: dest }));
const incomplete = uint(65_535).map((n) => part(`INCOMPLETE [${n} bytes] `, { incomplete_bytes: n }));
const protocol = (text: string, name = text.toLowerCase()) =>
  fc.constant(part(`PROTO=${text} `, {}, { protocol: name }));
const options = (key: string) =>
  fc
    .array(hex(2), { minLength: 4, maxLength: 40 })
    .map((bytes) => bytes.join('').toUpperCase())
    .map((text) => part(`OPT (${text}) `, { [key]: text }));

const tcpHeader = all(
  ports,
  maybe(all(decimal('SEQ', 'seq', 0xffffffff), decimal('ACK', 'ack', 0xffffffff))),
  decimal('WINDOW', 'window', 65_535),
  uint(0x3c).map((n) => part(`RES=0x${hexOf(n, 2)} `, { reserved: n })),
  words('tcp_flags', ['AE', 'CWR', 'ECE', 'URG', 'ACK', 'PSH', 'RST', 'SYN', 'FIN']),
  decimal('URGP', 'urgent_pointer', 65_535),
  maybe(options('tcp_options')),
);
const udpHeader = all(ports, decimal('LEN', 'udp_length', 65_535));
const spi = uint(0xffffffff).map((n) => part(`SPI=0x${n.toString(16)} `, { spi: n }));
const numbered = fc
  .integer({ min: 0, max: 255 })
  .filter((n) => ![1, 6, 17, 50, 51, 58, 136].includes(n))
  .chain((n) => protocol(String(n), n === 132 ? 'sctp' : String(n)));

const icmpHead = (types: readonly number[]) =>
  fc
    .tuple(fc.constantFrom(...types), uint(15))
    .map(([type, code]) => part(`TYPE=${type} CODE=${code} `, { icmp_type: type, icmp_code: code }));
const echo = all(decimal('ID', 'icmp_id', 65_535), decimal('SEQ', 'icmp_seq', 65_535));
const bracketed = (inner: fc.Arbitrary<Part>) =>
  inner.map(({ text, packet, connection }) => part(`[${text}] `, { inner: { ...packet, ...connection } }));
const mtu = maybe(decimal('MTU', 'mtu', 65_535));

const fragment4 = fc
  .integer({ min: 1, max: 8191 })
  .map((n) => part(`FRAG:${n} `, { fragment_offset: n * 8 }));
const head4 = all(
  addresses(fc.ipV4()),
  decimal('LEN', 'length', 70_000),
  uint(0x1e).map((n) => part(`TOS=0x${hexOf(n, 2).toUpperCase()} `, { tos: n })),
  uint(7).map((n) => part(`PREC=0x${hexOf(n << 5, 2).toUpperCase()} `, { prec: n << 5 })),
  decimal('TTL', 'ttl', 255),
  decimal('ID', 'id', 65_535),
  words('ip_flags', ['CE', 'DF', 'MF']),
);

function transport4(inner: fc.Arbitrary<Part> | undefined): fc.Arbitrary<Part> {
  const icmp = [
    incomplete,
    all(icmpHead([0, 8]), echo),
    all(icmpHead([12]), decimal('PARAMETER', 'parameter', 255)),
    icmpHead([9, 10, 13, 14, 17, 18, 42]),
    all(icmpHead([13]), incomplete),
    all(icmpHead([3, 4, 11]), ...(inner ? [bracketed(inner)] : []), mtu),
    all(
      icmpHead([5]),
      fc.ipV4().map((gateway) => part(`GATEWAY=${gateway} `, { gateway })),
      ...(inner ? [bracketed(inner)] : []),
    ),
  ];
  return fc.oneof(
    { weight: 5, arbitrary: all(protocol('TCP'), fc.oneof(tcpHeader, tcpHeader, incomplete)) },
    { weight: 3, arbitrary: all(protocol('UDP'), fc.oneof(udpHeader, udpHeader, incomplete)) },
    all(protocol('UDPLITE'), udpHeader),
    { weight: 3, arbitrary: all(protocol('ICMP'), fc.oneof(...icmp)) },
    all(protocol('ESP'), fc.oneof(spi, incomplete)),
    all(protocol('AH'), fc.oneof(spi, incomplete)),
    numbered,
    all(fragment4, fc.oneof(protocol('TCP'), protocol('UDP'), protocol('ICMP'), protocol('ESP'), numbered)),
  );
}
const inner4 = all(head4, transport4(undefined));
const ipv4 = all(head4, maybe(options('ip_options')), transport4(inner4));

const groups = fc
  .array(fc.oneof(fc.constant('0000'), hex(4)), { minLength: 8, maxLength: 8 })
  // Of IPv4-mapped addresses none is routed, and platforms differ in how they write them.
  .filter((list) => list.slice(0, 4).some((group) => group !== '0000'))
  .map((list) => list.join(':'));
const head6 = all(
  addresses(groups),
  decimal('LEN', 'length', 65_575),
  decimal('TC', 'traffic_class', 255),
  decimal('HOPLIMIT', 'hop_limit', 255),
  decimal('FLOWLBL', 'flow_label', 0xfffff),
);
const extension = (inside: fc.Arbitrary<Part>) =>
  fc.oneof(
    inside,
    inside.map((one) => join(part('OPT ( '), one, part(') '))),
  );
const firstFragment = extension(
  hex(8).map((id) =>
    part(`FRAG:0 INCOMPLETE ID:${id} `, { fragment_offset: 0, more_fragments: true, fragment_id: id }),
  ),
);
const laterFragment = extension(
  fc
    .tuple(fc.integer({ min: 1, max: 8191 }), hex(8))
    .map(([n, id]) => part(`FRAG:${n * 8} ID:${id} `, { fragment_offset: n * 8, fragment_id: id })),
);

function transport6(inner: fc.Arbitrary<Part> | undefined): fc.Arbitrary<Part> {
  const icmp = [
    incomplete,
    all(icmpHead([128, 129]), echo),
    icmpHead([130, 131, 132, 200]),
    all(
      icmpHead([4]),
      uint(0xffffffff).map((n) => part(`POINTER=${hexOf(n, 8)} `, { pointer: n })),
      ...(inner ? [bracketed(inner)] : []),
    ),
    all(icmpHead([1, 2, 3]), ...(inner ? [bracketed(inner)] : []), mtu),
  ];
  return fc.oneof(
    { weight: 4, arbitrary: all(maybe(firstFragment), protocol('TCP'), fc.oneof(tcpHeader, incomplete)) },
    { weight: 3, arbitrary: all(protocol('UDP'), fc.oneof(udpHeader, incomplete)) },
    { weight: 2, arbitrary: all(protocol('ICMPv6'), fc.oneof(...icmp)) },
    numbered,
    all(laterFragment, fc.oneof(protocol('TCP'), protocol('UDP'))),
    ...(inner ? [fc.constant(part('', {}, { protocol: 'esp' }))] : []),
  );
}
const inner6 = all(head6, transport6(undefined));
const ipv6 = all(head6, transport6(inner6));

const arp = all(
  fc.tuple(uint(65_535), hex(4), uint(65_535)).map(([hardware, type, opcode]) =>
    part(`ARP HTYPE=${hardware} PTYPE=0x${type} OPCODE=${opcode}`, {
      arp_hardware: hardware,
      arp_protocol: `0x${type}`,
      arp_opcode: opcode,
    }),
  ),
  fc
    .tuple(mac, fc.ipV4(), mac, fc.ipV4())
    .map(([macSrc, src, macDest, dest]) =>
      part(
        ` MACSRC=${macSrc} IPSRC=${src} MACDST=${macDest} IPDST=${dest}`,
        { arp_mac_src: macSrc, arp_mac_dest: macDest },
        { src_ip: src, dest_ip: dest, protocol: 'arp' },
      ),
    ),
);

const trailer = all(
  maybe(
    fc
      .tuple(uint(0xffffffff), uint(0xffffffff))
      .map(([uid, gid]) => part(`UID=${uid} GID=${gid} `, { uid, gid })),
  ),
  maybe(
    fc.integer({ min: 1, max: 0xffffffff }).map((mark) => part(`MARK=0x${mark.toString(16)} `, { mark })),
  ),
);

const interfaces = all(
  fc
    .tuple(fc.oneof(fc.constant(''), name), fc.oneof(fc.constant(''), name))
    .map(([into, out]) => part(`IN=${into} OUT=${out} `, { ...(into && { in: into }), ...(out && { out }) })),
  maybe(name.map((port) => part(`PHYSIN=${port} `, { physin: port }))),
  maybe(name.map((port) => part(`PHYSOUT=${port} `, { physout: port }))),
);

/** Of ours by the literal `calico-packet`; some glued, some with a packet's beginning in them. */
const prefix = fc.constantFrom(
  ...[
    'calico-packet: ',
    'calico-packet',
    'calico-packet IN=x OUT=y: ',
    'calico-packet IN=',
    'calico-packet default np a',
  ],
);

/** Any packet that the kernel logs. The direction is left out of `connection`. */
export const loggedPacket: fc.Arbitrary<LoggedPacket> = fc
  .tuple(prefix, interfaces, fc.oneof(all(macPart, fc.oneof(ipv4, ipv6), trailer), all(macPart, arp)))
  .filter(([, , body]) => !('mac' in (body.packet ?? {}) && body.connection?.protocol === 'arp'))
  .map(([prefixText, head, body]) => {
    const { text, packet, connection } = join(head, body);
    return { message: prefixText + text, prefix: prefixText, connection: connection!, packet: packet! };
  });
