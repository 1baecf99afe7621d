import fc from 'fast-check';

/** A JSON object whose members may repeat, as pairs; plain objects in it are written as they are. */
export interface Written {
  readonly members: readonly (readonly [string, unknown])[];
}

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
const port = fc.integer({ min: 0, max: 65535 });
const name = fc.oneof(
  { weight: 5, arbitrary: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
);
const stamp = fc
  .tuple(
    fc.date({ min: new Date('1970-01-02'), max: new Date('2199-12-30'), noInvalidDate: true }),
    fc.stringMatching(/^\d{0,12}$/),
    fc.constantFrom('Z', 'Z', 'Z', 'z', '+00:00', '-05:30', '+02:00'),
    fc.constantFrom('T', 'T', 'T', 't', ' '),
  )
  .map(([date, fraction, zone, t]) => {
    const seconds = date.toISOString().slice(0, 19).replace('T', t);
    return `${seconds}${fraction === '' ? '' : `.${fraction}`}${zone}`;
  });
const other = fc.jsonValue({ maxDepth: 3 });
const wrong = fc.oneof(other, fc.constantFrom(null, true, 0, -1, 65536, 1.5, '', '1', [], {}));

/** Members in random order, each perhaps absent or (rarely) of any type, with unknown ones among them. */
function object(members: Record<string, fc.Arbitrary<unknown>>, required: readonly string[] = []) {
  const known = Object.entries(members).map(([key, value]) => {
    const good = fc.tuple(fc.constant(key), value);
    const choices = [{ weight: 300, arbitrary: good.map((pair) => [pair]) }];
    if (!required.includes(key)) choices.push({ weight: 15, arbitrary: fc.constant([]) });
    choices.push({ weight: 1, arbitrary: fc.tuple(fc.constant(key), wrong).map((pair) => [pair]) });
    choices.push({ weight: 1, arbitrary: good.map((pair) => [pair, pair]) });
    return fc.oneof(...choices);
  });
  const unknown = fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.tuple(name, other), { maxLength: 3 }) },
  );
  return fc
    .tuple(fc.tuple(...known), unknown)
    .chain(([some, more]) => {
      const pairs = [...some.flat(), ...more] as [string, unknown][];
      return fc.shuffledSubarray(pairs, { minLength: pairs.length });
    })
    .map((pairs): Written => ({ members: pairs }));
}

const side = object({
  pod_name: name,
  namespace: name,
  pod_namespace: name,
  workload_name: name,
  workload_kind: fc.constantFrom('ReplicaSet', 'Node'),
  node_name: name,
  instance: ipv4,
  network: fc.constantFrom('private', 'public'),
  resolved_by: fc.constantFrom('upstream', 'ip', 'interface'),
});

/** A policy-action object; most are good. */
export const policyAction: fc.Arbitrary<Written> = object(
  {
    connection: object(
      {
        src_ip: fc.oneof(ipv4, ipv4, ipv6),
        dest_ip: fc.oneof(ipv4, ipv4, ipv6),
        src_port: port,
        dest_port: port,
        protocol: fc.constantFrom('tcp', 'udp', 'icmp', 'unknown', 'TCP'),
        direction: fc.constantFrom('ingress', 'egress'),
      },
      ['src_ip', 'dest_ip', 'protocol'],
    ),
    disposition: fc.constantFrom('allow', 'deny', 'deny', 'unknown'),
    policies: fc.array(object({ name, namespace: name, kind: name }), { maxLength: 3 }),
    src: side,
    dest: side,
    count: fc.integer({ min: 1, max: 100 }),
    node_name: name,
    timestamp: stamp,
  },
  ['connection', 'disposition', 'timestamp'],
);

/** Rarer members, some of this agent's own. */
export const furtherMembers: fc.Arbitrary<[string, unknown][]> = fc.array(
  fc.oneof(
    fc.tuple(fc.constant('last_timestamp'), stamp),
    fc.tuple(fc.constantFrom('packets', 'bytes'), fc.nat()),
    fc.tuple(fc.constant('src_ports'), fc.array(port, { maxLength: 3 })),
    fc.tuple(fc.constantFrom('id', 'prefix', 'log_type'), name),
    fc.tuple(fc.constantFrom('packet', 'source'), fc.dictionary(name, other, { maxKeys: 2 })),
  ),
  { maxLength: 2 },
);

/**
 * Writes a value as JSON; `spaced` puts white space wherever it may stand, `escaped` writes letters as `\u`.
 */
export function writeJsonText(value: unknown, spaced: () => boolean, escaped: () => boolean): string {
  const space = () => (spaced() ? ' \t' : '');
  const text = (part: string) =>
    JSON.stringify(part).replace(/[a-z]/g, (letter, at: number, all: string) =>
      all[at - 1] !== '\\' && !/\\u[0-9a-f]{0,3}$/.test(all.slice(0, at)) && escaped()
        ? `\\u00${letter.charCodeAt(0).toString(16)}`
        : letter,
    );
  const write = (part: unknown): string => {
    if (typeof part === 'string') return text(part);
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    if (Array.isArray(part)) return `[${space()}${part.map(write).join(`${space()},${space()}`)}${space()}]`;
    const members = 'members' in part ? (part as Written).members : Object.entries(part);
    const written = members.map(([key, member]) => `${text(key)}${space()}:${space()}${write(member)}`);
    return `{${space()}${written.join(`${space()},${space()}`)}${space()}}`;
  };
  return `${space()}${write(value)}${space()}`;
}
