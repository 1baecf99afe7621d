import { isIPv4, isIPv6 } from 'node:net';

/**
 * A plain reading of one policy-action line, by `JSON.parse` and ordinary string functions: what the scanner
 * must agree with. Slow, and written for nothing but to be checked by eye. A line that is cut short is
 * `bad_json` here like any other that is no JSON, and one that gives a known member twice is `repeated`.
 */
export function readPolicyActionPlainly(text: string, input: string, node: string): PlainReading {
  let line: Members;
  try {
    line = JSON.parse(text);
  } catch {
    return { reason: 'bad_json' };
  }
  if (!isObject(line)) return { reason: 'not_a_record' };
  if (repeats(text)) return { reason: 'repeated' };
  const given = withoutNullsOf(TOP, line);
  const { connection, disposition } = given;
  if (!isObject(connection) || typeof disposition !== 'string') return { reason: 'not_a_record' };
  const when = instant(given.timestamp);
  if (when === undefined) return { reason: 'no_timestamp' };
  const flow = withoutNullsOf(CONNECTION, connection);
  const srcIp = canonical(flow.src_ip);
  const destIp = canonical(flow.dest_ip);
  if (srcIp === undefined || destIp === undefined) return { reason: 'bad_address' };
  if (!isGood(given, flow) || hasOddNumbers(text)) return { reason: 'bad_field' };

  const { timestamp: _t, id: _i, source: _s, last_timestamp, ...rest } = given;
  const policies = given.policies as Members[] | undefined;
  const record: Members = { id: '' };
  record.connection = {
    ...flow,
    src_ip: srcIp,
    dest_ip: destIp,
    protocol: String(flow.protocol).toLowerCase(),
  };
  record.disposition = disposition;
  if (policies !== undefined)
    record.policies = policies.map((policy) => named(withoutNullsOf(POLICY, policy)));
  record.src = side(given.src);
  record.dest = side(given.dest);
  record.count = given.count ?? 1;
  const nodeName = given.node_name || node;
  if (nodeName !== '') record.node_name = nodeName;
  record.timestamp = when.text;
  for (const name of Object.keys(given)) {
    if (name === 'last_timestamp') record[name] = instant(last_timestamp)!.text;
    else if (!OF_EVERY_RECORD.includes(name)) define(record, name, rest[name]);
  }
  record.source = { input, format: 'policy_action' };
  return { record, timeUs: when.timeUs, digits: when.digits };
}

export type PlainReading =
  | { reason: string }
  | { record: Members; timeUs: number; digits: number; reason?: undefined };
type Members = Record<string, unknown>;

const STRING = 'string';
const NUMBER = 'number';
const TOP = {
  connection: 'object',
  disposition: STRING,
  policies: 'array',
  src: 'object',
  dest: 'object',
  count: NUMBER,
  node_name: STRING,
  timestamp: STRING,
  last_timestamp: STRING,
  packets: NUMBER,
  bytes: NUMBER,
  src_ports: 'array',
  prefix: STRING,
  packet: 'object',
  log_type: STRING,
  id: STRING,
  source: 'object',
};
const CONNECTION = {
  src_ip: STRING,
  dest_ip: STRING,
  src_port: NUMBER,
  dest_port: NUMBER,
  protocol: STRING,
  direction: STRING,
};
const NAMES = {
  pod_name: STRING,
  namespace: STRING,
  pod_namespace: STRING,
  workload_name: STRING,
  workload_kind: STRING,
  node_name: STRING,
};
const SIDE = { ...NAMES, instance: STRING, network: STRING, resolved_by: STRING };
const POLICY = { name: STRING, namespace: STRING, kind: STRING, tier: STRING, truncated: 'boolean' };
const OF_EVERY_RECORD = [
  ...['connection', 'disposition', 'policies', 'src', 'dest', 'count', 'node_name', 'timestamp'],
  ...['id', 'source'],
];

function isGood(line: Members, flow: Members): boolean {
  const policies = (line.policies ?? []) as unknown[];
  if (!fits(TOP, line) || !fits(CONNECTION, flow)) return false;
  if (!policies.every((policy) => isObject(policy) && fits(POLICY, withoutNullsOf(POLICY, policy))))
    return false;
  for (const name of ['src', 'dest']) {
    const given = withoutNullsOf(SIDE, (line[name] ?? {}) as Members);
    if (!fits(SIDE, given)) return false;
    if (!['interface', 'ip', 'upstream', undefined].includes(given.resolved_by as string)) return false;
  }
  const packet = (line.packet ?? {}) as Members;
  return (
    ['allow', 'deny', 'unknown'].includes(line.disposition as string) &&
    ['ingress', 'egress', undefined].includes(flow.direction as string) &&
    typeof flow.protocol === 'string' &&
    flow.protocol !== '' &&
    isWhole(flow.src_port, 0, 65535) &&
    isWhole(flow.dest_port, 0, 65535) &&
    isWhole(line.count, 1, 2 ** 32 - 1) &&
    isWhole(line.packets, 0, Number.MAX_SAFE_INTEGER) &&
    isWhole(line.bytes, 0, Number.MAX_SAFE_INTEGER) &&
    (line.last_timestamp === undefined || instant(line.last_timestamp) !== undefined) &&
    ((line.src_ports ?? []) as unknown[]).every(
      (port) => port !== undefined && port !== null && isWhole(port, 0, 65535),
    ) &&
    ['in', 'out', 'physin', 'physout'].every((name) => ['string', 'undefined'].includes(typeof packet[name]))
  );
}

/** Whether a known number is written with a sign, a point or an exponent, even where it is a whole one. */
function hasOddNumbers(text: string): boolean {
  const mark = (_key: string, value: unknown, { source }: { source?: string } = {}) =>
    typeof value === 'number' && !/^\d+$/.test(source!) ? 'odd' : value;
  const line = JSON.parse(text, mark);
  const { connection } = line;
  return [line.count, line.packets, line.bytes, connection.src_port, connection.dest_port].includes('odd');
}

function fits(types: Record<string, string>, members: Members): boolean {
  return Object.entries(types).every(([name, type]) => {
    const value = Object.hasOwn(members, name) ? members[name] : undefined;
    if (value === undefined) return true;
    if (type === 'array') return Array.isArray(value);
    return type === 'object' ? isObject(value) : typeof value === type;
  });
}

function side(given: unknown): Members {
  const members = withoutNullsOf(SIDE, (given ?? {}) as Members);
  const isNamed = Object.keys(NAMES).some((name) => Object.hasOwn(members, name));
  return isNamed && !Object.hasOwn(members, 'resolved_by')
    ? { ...members, resolved_by: 'upstream' }
    : members;
}

function named(policy: Members): Members {
  return Object.hasOwn(policy, 'name') ? policy : { name: '', ...policy };
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return (
    value === undefined || (Number.isInteger(value) && (value as number) >= min && (value as number) <= max)
  );
}

function withoutNullsOf(types: Record<string, string>, members: Members): Members {
  const kept: Members = {};
  for (const [name, value] of Object.entries(members)) {
    if (value !== null || !Object.hasOwn(types, name)) define(kept, name, value);
  }
  return kept;
}

/** Assignment would do something else with `__proto__`. */
function define(object: Members, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

function canonical(address: unknown): string | undefined {
  if (typeof address !== 'string' || address.includes('%')) return undefined;
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(text);
  if (mapped === null) return text;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function instant(text: unknown): { text: string; timeUs: number; digits: number } | undefined {
  if (typeof text !== 'string') return undefined;
  const found =
    /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(?:[.,](\d{1,18}))?(?:[Zz]|([+-])([01]\d|2[0-3]):?([0-5]\d))$/.exec(
      text,
    );
  if (found === null) return undefined;
  const [, day, minute, second, fraction = '', sign, hours = 0, minutes = 0] = found;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const atMinute = Date.parse(`${day}T${minute}00Z`);
  if (
    Number(second) > 60 ||
    Number.isNaN(atMinute) ||
    new Date(midnight).toISOString().slice(0, 10) !== day
  ) {
    return undefined;
  }
  if (minute!.startsWith('24') || Number(day!.slice(0, 4)) < 1970 || Number(day!.slice(0, 4)) > 2199)
    return undefined;
  const offsetMs = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const ms = atMinute + Number(second) * 1000 - offsetMs;
  if (ms < 0) return undefined;
  const point = fraction === '' ? '' : `.${fraction}`;
  return {
    text: `${new Date(ms).toISOString().slice(0, 19)}${point}Z`,
    timeUs: ms * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0')),
    digits: fraction.length,
  };
}

/** Whether the line, the connection, a side or a policy has a known member twice. */
function repeats(text: string): boolean {
  const open: { path: string; seen: Set<string>; key: string; isObject: boolean }[] = [];
  let expectsKey = false;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g)) {
    const top = open.at(-1);
    if (token === '{' || token === '[') {
      const path = top === undefined ? '' : `${top.path}/${top.key}`;
      open.push({ path, seen: new Set(), key: '', isObject: token === '{' });
      expectsKey = token === '{';
    } else if (token === '}' || token === ']') open.pop();
    else if (token === ',') expectsKey = top!.isObject;
    else if (expectsKey) {
      expectsKey = false;
      top!.key = JSON.parse(token);
      if (top!.seen.has(top!.key) && Object.hasOwn(KNOWN[top!.path] ?? {}, top!.key)) return true;
      top!.seen.add(top!.key);
    }
  }
  return false;
}

/** The known members by the path of their object; an array's elements have an empty key. */
const KNOWN: Record<string, Record<string, string>> = {
  '': TOP,
  '/connection': CONNECTION,
  '/src': SIDE,
  '/dest': SIDE,
  '/policies/': POLICY,
};
