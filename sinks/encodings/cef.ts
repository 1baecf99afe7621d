import type { Endpoint, FlowRecord, LogRecord, SummaryRecord } from '../../parsers/record.ts';
import type { Shape } from '../shaped-sink.ts';

const VENDOR = 'policy-log-agent';
const PRODUCT = 'policy-log-agent';

/**
 * Records in the Common Event Format, version 0. The names of both sides and of the policies stand in the format's six
 * custom strings, each with its label; IPv6 addresses in its custom addresses, for `src` and `dst` take
 * IPv4 alone. A key without a value is left out.
 * @param version of this build
 */
export function cefEncoder(version: string): Shape {
  const begin = `CEF:0|${VENDOR}|${PRODUCT}|${header(version)}|`;
  return (record) => {
    const { signature, name, severity, extension } = describe(record);
    const pairs = Object.entries(extension).flatMap(([key, value]) =>
      value === undefined || value === '' ? [] : [`${key}=${extensionValue(String(value))}`],
    );
    return `${begin}${header(signature)}|${header(name)}|${severity}|${pairs.join(' ')}`;
  };
}

interface Event {
  /** What kind of event it is. */
  readonly signature: string;
  readonly name: string;
  /** From 0 to 10. */
  readonly severity: number;
  readonly extension: Readonly<Record<string, string | number | undefined>>;
}

function describe(record: Record<string, unknown>): Event {
  if ('connection' in record) return describeFlow(record as unknown as FlowRecord);
  if ('dropped' in record) return describeSummary(record as unknown as SummaryRecord);
  return describeLog(record as unknown as LogRecord);
}

const FLOWS = {
  allow: { name: 'Connection allowed', severity: 1, act: 'allow' },
  deny: { name: 'Connection denied', severity: 5, act: 'deny' },
  unknown: { name: 'Connection logged', severity: 3, act: undefined },
} as const;

function describeFlow(record: FlowRecord): Event {
  const { connection, disposition, src, dest, timestamp, last_timestamp, packet } = record;
  const { name, severity, act } = FLOWS[disposition] ?? FLOWS.unknown;
  const policies = record.policies?.map((policy) =>
    policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`,
  );
  return {
    signature: disposition,
    name,
    severity,
    extension: {
      rt: Date.parse(timestamp),
      start: Date.parse(timestamp),
      end: last_timestamp === undefined ? undefined : Date.parse(last_timestamp),
      externalId: record.id,
      act,
      proto: connection.protocol.toUpperCase(),
      deviceDirection: connection.direction && { ingress: 0, egress: 1 }[connection.direction],
      ...addresses(connection.src_ip, connection.dest_ip),
      spt: connection.src_port,
      dpt: connection.dest_port,
      cnt: record.count,
      dvchost: record.node_name,
      deviceInboundInterface: packet?.in,
      deviceOutboundInterface: packet?.out,
      ...strings({
        'Source Namespace': src.namespace,
        Source: nameOf(src),
        'Destination Namespace': dest.namespace,
        Destination: nameOf(dest),
        Policies: policies?.join(','),
        Prefix: record.prefix,
      }),
    },
  };
}

function describeSummary({ id, timestamp, last_timestamp, node_name, dropped }: SummaryRecord): Event {
  return {
    signature: 'summary',
    name: 'Connections dropped by the agent',
    severity: 6,
    extension: {
      rt: Date.parse(timestamp),
      start: Date.parse(timestamp),
      end: Date.parse(last_timestamp),
      externalId: id,
      dvchost: node_name,
      msg: JSON.stringify(dropped),
    },
  };
}

function describeLog({ id, log_type, timestamp, node_name, message, body }: LogRecord): Event {
  return {
    signature: log_type,
    name: log_type,
    severity: 1,
    extension: {
      rt: timestamp === undefined ? undefined : Date.parse(timestamp),
      externalId: id,
      dvchost: node_name,
      msg: message ?? JSON.stringify(body),
    },
  };
}

function addresses(src: string | undefined, dest: string | undefined): Event['extension'] {
  const isIpv6 = (ip: string | undefined) => ip?.includes(':');
  return {
    ...(isIpv6(src) ? { c6a2: src, c6a2Label: 'Source IPv6 Address' } : { src }),
    ...(isIpv6(dest) ? { c6a3: dest, c6a3Label: 'Destination IPv6 Address' } : { dst: dest }),
  };
}

/** The format's custom strings: `cs1`, `cs1Label`, …; those without a value are left out, each has its own number. */
function strings(labelled: Readonly<Record<string, string | undefined>>): Event['extension'] {
  return Object.fromEntries(
    Object.entries(labelled).flatMap(([label, value], index) =>
      value === undefined || value === ''
        ? []
        : [
            [`cs${index + 1}`, value],
            [`cs${index + 1}Label`, label],
          ],
    ),
  );
}

function nameOf(side: Endpoint): string | undefined {
  return side.pod_name ?? side.node_name ?? side.workload_name ?? side.network;
}

/** A backslash and a bar are escaped; a header has one line. */
function header(text: string): string {
  return text.replace(/[\\|]/g, '\\$&').replace(CONTROLS, ' ');
}

/** A backslash and an equals sign are escaped, line ends written as `\n` and `\r`. */
function extensionValue(text: string): string {
  return text
    .replace(/[\\=]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replace(CONTROLS, ' ');
}

const CONTROLS = /\p{Cc}/gu;
