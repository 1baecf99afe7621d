import { SocketAddress } from 'node:net';

/**
 * A plain reading of netfilter LOG lines with strings and regular expressions, written for its clarity: what
 * the product's parser, which walks bytes, is held to. Knows one envelope each of two kinds.
 */
export interface ReferenceReading {
  prefix: string;
  in: string;
  out: string;
  connection: Record<string, unknown>;
  packet: Record<string, unknown>;
  length: number;
}

/** The message of a kernel line, behind its envelope. */
export function referenceMessage(line: string): string {
  return line.replace(/^.*? kernel: (?:\[ *\d+\.\d{6}\] ?)?/, '');
}

/** @returns undefined where the message has no packet whose connection is all there */
export function referenceReading(message: string): ReferenceReading | undefined {
  const pair = /^(.*)IN=([^ ]*) OUT=([^ ]*) (.*)$/s.exec(message);
  if (!pair) return undefined;
  const [, prefix, inName, outName, rest] = pair as unknown as string[];
  const { outer, inner } = withoutInner(rest!);
  const packet: Record<string, unknown> = {};
  if (inName) packet.in = inName;
  if (outName) packet.out = outName;
  const all = readFields(outer, packet);
  if (all === undefined) return undefined;
  if (inner !== undefined) {
    const within: Record<string, unknown> = {};
    const said = readFields(inner, within);
    packet.inner = { ...within, ...said };
  }
  const { length = 0 } = packet as { length?: number };
  const connection = { ...all };
  if (!('src_ip' in connection) || !('dest_ip' in connection) || !('protocol' in connection))
    return undefined;
  const direction = directionOf(
    String(packet.physin ?? inName),
    String(packet.physout ?? outName),
    /^calico-response-/.test(prefix!),
  );
  if (direction) connection.direction = direction;
  return {
    prefix: prefix!.trimEnd().replace(/:$/, ''),
    in: inName!,
    out: outName!,
    connection,
    packet,
    length,
  };
}

function withoutInner(text: string): { outer: string; inner?: string } {
  const start = text.search(/(?<= )\[(?:SRC=|TRUNCATED)/);
  if (start < 0) return { outer: text };
  const inside = /^\[((?:\[\d+ bytes\]|[^\][])*)\]/.exec(
    text.slice(start).replace(/INCOMPLETE (\[\d+ bytes\])/, 'INCOMPLETE $1'),
  );
  if (!inside) return { outer: text.slice(0, start), inner: text.slice(start + 1) };
  return { outer: text.slice(0, start) + text.slice(start + inside[0].length + 1), inner: inside[1]! };
}

const TCP_FLAGS = ['AE', 'CWR', 'ECE', 'URG', 'ACK', 'PSH', 'RST', 'SYN', 'FIN'];

/** Fills `packet`; gives the connection. */
function readFields(text: string, packet: Record<string, unknown>): Record<string, unknown> | undefined {
  const connection: Record<string, unknown> = {};
  const incomplete = /INCOMPLETE \[(\d+) bytes\] ?/.exec(text);
  const whole = text.replace(/INCOMPLETE \[\d+ bytes\] ?/, '');
  const [network, transport] = split(whole);
  const isArp = /(^| )ARP /.test(whole);
  const set = (key: string, value: unknown) => {
    if (value !== undefined) packet[key] = value;
  };
  const value = (from: string, key: string) =>
    new RegExp(`(?:^| )${key}=([^ ]*)`).exec(from)?.[1] || undefined;
  const number = (from: string, key: string) => {
    const digits = value(from, key);
    return digits === undefined ? undefined : Number(digits);
  };
  const has = (from: string, word: string) => new RegExp(`(?:^| )${word}(?: |$)`).test(from);

  for (const key of ['PHYSIN', 'PHYSOUT', 'MAC']) set(key.toLowerCase(), value(network, key));
  const [beforeArp, arp] = isArp ? whole.split(/(?:^| )ARP /) : [network, ''];
  set('mac_src', value(beforeArp!, 'MACSRC'));
  set('mac_dest', value(beforeArp!, 'MACDST'));
  set('mac_protocol', value(network, 'MACPROTO'));
  set('vlan_protocol', value(network, 'VPROTO'));
  set('vlan_id', number(network, 'VID'));
  const tunnel = value(network, 'TUNNEL')?.split('->');
  set('tunnel_src', tunnel?.[0]);
  set('tunnel_dest', tunnel?.[1]);
  if (isArp) {
    set('arp_hardware', number(arp!, 'HTYPE'));
    set('arp_protocol', value(arp!, 'PTYPE'));
    set('arp_opcode', number(arp!, 'OPCODE'));
    set('arp_mac_src', value(arp!, 'MACSRC'));
    set('arp_mac_dest', value(arp!, 'MACDST'));
    const [src, dest] = [value(arp!, 'IPSRC'), value(arp!, 'IPDST')];
    return src && dest ? { src_ip: src, dest_ip: dest, protocol: 'arp' } : undefined;
  }
  const [src, dest] = [value(network, 'SRC'), value(network, 'DST')];
  if (src) connection.src_ip = canonical(src);
  if (dest) connection.dest_ip = canonical(dest);
  set('length', number(network, 'LEN'));
  set('tos', number(network, 'TOS'));
  set('prec', number(network, 'PREC'));
  set('ttl', number(network, 'TTL'));
  set('id', number(network, 'ID'));
  set('traffic_class', number(network, 'TC'));
  set('hop_limit', number(network, 'HOPLIMIT'));
  set('flow_label', number(network, 'FLOWLBL'));
  const isIpv6 = packet.traffic_class !== undefined;
  const fragment = /(?:^| )FRAG:(\d+)/.exec(network)?.[1];
  if (fragment !== undefined) set('fragment_offset', Number(fragment) * (isIpv6 ? 1 : 8));
  set('fragment_id', /(?:^| )ID:([0-9a-f]+)/.exec(network)?.[1]);
  set('ip_options', /(?:^| )OPT \(([0-9A-F]+)\)/.exec(network)?.[1]);
  const ipFlags = ['CE', 'DF', 'MF'].filter((flag) => has(network, flag));
  if (ipFlags.length > 0) packet.ip_flags = ipFlags;
  if (has(network, 'INCOMPLETE')) packet.more_fragments = true;

  const protocol = value(transport, 'PROTO');
  if (protocol) connection.protocol = protocol === '132' ? 'sctp' : protocol.toLowerCase();
  else if (isIpv6 && fragment === undefined && !incomplete) connection.protocol = 'esp';
  else if (!isIpv6 && fragment !== undefined) connection.protocol = 'ah';
  if (protocol === 'TCP') {
    set('seq', number(transport, 'SEQ'));
    set('ack', number(transport, 'ACK'));
    set('window', number(transport, 'WINDOW'));
    set('reserved', number(transport, 'RES'));
    set('urgent_pointer', number(transport, 'URGP'));
    set('tcp_options', /(?:^| )OPT \(([0-9A-F]+)\)/.exec(transport)?.[1]);
    const flags = TCP_FLAGS.filter((flag) => has(transport, flag));
    if (flags.length > 0) packet.tcp_flags = flags;
  }
  if (protocol?.startsWith('UDP')) set('udp_length', number(transport, 'LEN'));
  if (number(transport, 'SPT') !== undefined) {
    connection.src_port = number(transport, 'SPT');
    connection.dest_port = number(transport, 'DPT');
  }
  if (protocol?.startsWith('ICMP')) {
    set('icmp_type', number(transport, 'TYPE'));
    set('icmp_code', number(transport, 'CODE'));
    set('icmp_id', number(transport, 'ID'));
    set('icmp_seq', number(transport, 'SEQ'));
    set('parameter', number(transport, 'PARAMETER'));
    set('gateway', value(transport, 'GATEWAY'));
    const pointer = value(transport, 'POINTER');
    if (pointer) set('pointer', Number.parseInt(pointer, 16));
    set('mtu', number(transport, 'MTU'));
  }
  set('spi', number(whole, 'SPI'));
  set('uid', number(transport || network, 'UID'));
  set('gid', number(transport || network, 'GID'));
  set('mark', number(transport || network, 'MARK'));
  if (incomplete) packet.incomplete_bytes = Number(incomplete[1]);
  if (/TRUNCATED/.test(whole)) packet.truncated = true;
  return connection;
}

/** What stands before `PROTO=`, and the rest. */
function split(text: string): [string, string] {
  const at = text.search(/(?:^| )PROTO=/);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}

function canonical(address: string): string {
  if (!address.includes(':')) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

function directionOf(inName: string, outName: string, isResponse: boolean): string | undefined {
  const pod = (name: string) => /^(?:cali|veth)/.test(name);
  if (isResponse || inName === 'lo' || outName === 'lo') return undefined;
  if (pod(inName)) return pod(outName) ? undefined : 'egress';
  if (pod(outName)) return 'ingress';
  if (inName && !outName) return 'ingress';
  return !inName && outName ? 'egress' : undefined;
}
