import type { Endpoint, Policy } from '../../parsers/record.ts';
import type { Flow } from './model-flow.ts';
import { Random } from './random.ts';

const HOUR_US = 3_600_000_000;
const T0 = 1_700_000_000_000_000;

interface Pod {
  readonly ip: string;
  readonly names: Endpoint;
}
type Workload = readonly Pod[];

/** Who talks to whom, and how often beside the others. */
interface Relation {
  readonly weight: number;
  readonly make: () => Flow[];
}

/**
 * An hour of a busy node, as its policy log has it: 40 workloads with up to 6 pods on the node and 60 elsewhere; their
 * calls of each other, of which a few make the most; DNS; APIs outside; clients from the Internet at an ingress;
 * and what is denied: pods that retry what no policy allows, as TCP does, and a port scan.
 *
 * @param connections connections to make, about; the same seed makes the same
 * @returns flows in order of time
 */
export function modelHour(connections: number, seed: number): Flow[] {
  const random = new Random(seed);
  const local = workloads(random, 40, 6, 3);
  const remote = workloads(random, 60, 9, 9);
  const relations: Relation[] = [
    ...ranks(120).map((weight) =>
      call(random, 520 * weight, random.pick(local), random.pick(remote), 'egress'),
    ),
    ...ranks(40).map((weight) =>
      call(random, 120 * weight, random.pick(remote), random.pick(local), 'ingress'),
    ),
    ...ranks(30).map((weight) => outward(random, 80 * weight, random.pick(local))),
    ...local.map((pods) => call(random, 140 / local.length, pods, remote[0]!, 'egress', 53, 'udp')),
    fromInternet(random, 60, local[0]!),
    ...ranks(12).map((weight) => denied(random, 15 * weight, random.pick(local), random.pick(remote))),
    scan(random, 5, random.pick(local)[0]!, remote),
  ];
  const total = relations.reduce((sum, { weight }) => sum + weight, 0);
  const flows: Flow[] = [];
  while (flows.length < connections) {
    const relation = pick(relations, random.unit() * total);
    const startUs = T0 + Math.floor(random.unit() * HOUR_US);
    for (const flow of relation.make()) flows.push({ ...flow, timeUs: startUs + flow.timeUs });
  }
  return flows.sort((one, other) => one.timeUs - other.timeUs);
}

/** The relation in whose share of all weights a point is. */
function pick(relations: readonly Relation[], point: number): Relation {
  let at = point;
  for (const relation of relations) {
    at -= relation.weight;
    if (at <= 0) return relation;
  }
  return relations[0]!;
}

/** Weights of the first, second, … most frequent, 1 in all. */
function ranks(count: number): number[] {
  const weights = Array.from({ length: count }, (_, rank) => 1 / (rank + 1));
  const sum = weights.reduce((one, other) => one + other);
  return weights.map((weight) => weight / sum);
}

function workloads(random: Random, count: number, podsMax: number, network: number): Workload[] {
  return Array.from({ length: count }, (_, number) => {
    const workload_name = `${random.pick(['web', 'api', 'cache', 'worker', 'db'])}-${number}-${random.hex(9)}`;
    const namespace = `team-${number % 12}`;
    return Array.from({ length: 1 + random.below(podsMax) }, (__, pod) => ({
      ip: `10.84.${network + (number >> 4)}.${(number % 16) * 16 + pod}`,
      names: {
        pod_name: `${workload_name}-${random.hex(5)}`,
        namespace,
        pod_namespace: namespace,
        workload_name,
        workload_kind: 'ReplicaSet',
      },
    }));
  });
}

function flow(
  random: Random,
  src: Pod | string,
  dest: Pod | string,
  more: Partial<Flow>,
  policy?: string,
): Flow {
  const policies: Policy[] = policy === undefined ? [] : [{ name: policy, namespace: 'team-0' }];
  return {
    timeUs: 0,
    timeDigits: 9,
    disposition: 'allow',
    src: typeof src === 'string' ? src : src.ip,
    srcPort: 32_768 + random.below(28_000),
    dest: typeof dest === 'string' ? dest : dest.ip,
    ...more,
    extra: {
      ...(policies.length > 0 ? { policies } : {}),
      src: typeof src === 'string' ? { instance: src } : src.names,
      dest: typeof dest === 'string' ? { instance: dest } : dest.names,
      node_name: 'gke-demo-default-pool-5dad52ed-k0h1',
      source: { input: 'policy_action', format: 'policy_action' },
    },
  };
}

function call(
  random: Random,
  weight: number,
  from: Workload,
  to: Workload,
  direction: 'ingress' | 'egress',
  destPort = random.pick([80, 443, 5432, 6379, 8080, 9090]),
  protocol = 'tcp',
): Relation {
  const policy = `allow-${random.hex(4)}`;
  const make = () =>
    flow(random, random.pick(from), random.pick(to), { destPort, protocol, direction }, policy);
  return { weight, make: () => [make()] };
}

/** A few addresses of one service outside. */
function outward(random: Random, weight: number, from: Workload): Relation {
  const addresses = Array.from({ length: 8 }, () => `142.250.${random.below(256)}.${random.below(256)}`);
  const more = { destPort: 443, direction: 'egress' as const };
  return { weight, make: () => [flow(random, random.pick(from), random.pick(addresses), more, 'allow-web')] };
}

function fromInternet(random: Random, weight: number, to: Workload): Relation {
  const address = () =>
    `${20 + random.below(150)}.${random.below(256)}.${random.below(256)}.${random.below(256)}`;
  const more = { destPort: 443, direction: 'ingress' as const };
  return { weight, make: () => [flow(random, address(), random.pick(to), more, 'allow-ingress')] };
}

/** A connection that nobody answers: its SYN again after 1, 3, 7, 15 and 31 s, and the application's own retries. */
function denied(random: Random, weight: number, from: Workload, to: Workload): Relation {
  return {
    weight,
    make: () => {
      const [src, dest] = [random.pick(from), random.pick(to)];
      const more = { destPort: 8443, direction: 'egress' as const, disposition: 'deny' as const };
      return Array.from({ length: 4 }, (_, attempt) => {
        const one = flow(random, src, dest, more);
        return [0, 1, 3, 7].map((second) => ({ ...one, timeUs: (attempt * 0.06 + second) * 1_000_000 }));
      }).flat();
    },
  };
}

function scan(random: Random, weight: number, from: Pod, to: readonly Workload[]): Relation {
  return {
    weight,
    make: () => {
      const dest = random.pick(to)[0]!;
      return Array.from({ length: 20 }, (_, index) => ({
        ...flow(random, from, dest, {
          destPort: 1 + random.below(1024),
          direction: 'egress',
          disposition: 'deny',
        }),
        timeUs: index * 2000,
      }));
    },
  };
}
