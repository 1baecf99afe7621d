import { Random } from '../random.ts';
import type { LineSource } from './line-source.ts';
import { microseconds, Stamps } from './stamps.ts';

export interface PolicyActionLinesOptions {
  seed: number;
  /** Event time of the first line, in microseconds since the epoch. */
  startUs: number;
  linesPerSecond: number;
  /** Share of denied connections; the others are allowed. */
  denied?: number;
  node?: string;
}

interface Side {
  ip: string;
  json: string;
  namespace: string;
}

const NAMESPACES = ['default', 'shop', 'payments', 'monitoring', 'istio-system', 'data'];
const WORKLOADS = [
  'frontend',
  'checkout-service',
  'redis-cart',
  'recommendationservice',
  'kafka-broker',
  'loki',
];
const POLICIES = [
  'allow-frontend-to-db',
  'allow-from-ingress',
  'allow-monitoring',
  'allow-green',
  'default-allow-dns',
];
const PORTS = [53, 443, 3306, 5432, 6379, 8080, 9090, 15021];

/**
 * Lines of GKE's `policy_action.log`: allowed connections with the policies that allowed them, the kubelet's
 * probes, and denials as GKE writes them, already aggregated and without policies.
 */
export class PolicyActionLines implements LineSource {
  nextUs: number;
  readonly #random: Random;
  readonly #stamps = new Stamps();
  readonly #pauseUs: number;
  readonly #denied: number;
  readonly #node: string;
  readonly #here: Side[];
  readonly #there: Side[];
  readonly #nodes: Side[];

  constructor(options: PolicyActionLinesOptions) {
    const random = new Random(options.seed);
    this.#random = random;
    this.#pauseUs = 1_000_000 / options.linesPerSecond;
    this.#denied = options.denied ?? 0.15;
    this.#node = options.node ?? 'gke-demo-default-pool-5dad52ed-k0h1';
    this.nextUs = options.startUs;
    this.#here = Array.from({ length: 60 }, (_, n) => podSide(random, `10.84.0.${n + 2}`));
    this.#there = Array.from({ length: 600 }, (_, n) => podSide(random, `10.84.${1 + (n >> 8)}.${n & 255}`));
    this.#nodes = Array.from({ length: 12 }, (_, n) => ({
      ip: `10.128.0.${n + 2}`,
      json: `{"node_name":"gke-demo-default-pool-5dad52ed-${random.hex(4)}","workload_kind":"Node"}`,
      namespace: '',
    }));
  }

  next(): string {
    const random = this.#random;
    const timeUs = this.nextUs;
    this.nextUs += 1 + Math.floor(this.#pauseUs * 2 * random.unit());
    const kind = random.unit();
    if (kind < this.#denied) return this.#deny(timeUs);
    return kind < this.#denied + 0.1 ? this.#probe(timeUs) : this.#allow(timeUs);
  }

  #allow(timeUs: number): string {
    const random = this.#random;
    const local = random.pick(this.#here);
    const peer = random.chance(0.85) ? random.pick(this.#there) : random.pick(this.#nodes);
    const ingress = random.chance(0.6);
    let policies = policy(random, local.namespace);
    while (random.chance(0.3)) policies += `,${policy(random, local.namespace)}`;
    const [src, dest] = ingress ? [peer, local] : [local, peer];
    return (
      `${this.#connection(src, dest, ingress)},"disposition":"allow","policies":[${policies}],` +
      `"src":${src.json},"dest":${dest.json},"count":1,${this.#end(timeUs)}`
    );
  }

  #probe(timeUs: number): string {
    const dest = this.#random.pick(this.#here);
    const src = { ip: '10.84.0.1', json: '{"instance":"10.84.0.1"}', namespace: '' };
    return (
      `${this.#connection(src, dest, true)},"disposition":"allow","src":${src.json},"dest":${dest.json},` +
      `"count":1,"policies":[{"name":""}],${this.#end(timeUs)}`
    );
  }

  #deny(timeUs: number): string {
    const random = this.#random;
    const local = random.pick(this.#here);
    const outside = `34.${random.below(255)}.${random.below(255)}.${random.below(255)}`;
    const peer = random.chance(0.7)
      ? random.pick(this.#there)
      : { ip: outside, json: `{"instance":"${outside}"}`, namespace: '' };
    const ingress = random.chance(0.5);
    const [src, dest] = ingress ? [peer, local] : [local, peer];
    return (
      `${this.#connection(src, dest, ingress)},"disposition":"deny","src":${src.json},"dest":${dest.json},` +
      `"count":${1 + random.below(12)},${this.#end(timeUs)}`
    );
  }

  #connection(src: Side, dest: Side, ingress: boolean): string {
    const random = this.#random;
    const port = random.pick(PORTS);
    return (
      `{"connection":{"src_ip":"${src.ip}","dest_ip":"${dest.ip}","src_port":${32768 + random.below(28232)},` +
      `"dest_port":${port},"protocol":"${port === 53 ? 'udp' : 'tcp'}",` +
      `"direction":"${ingress ? 'ingress' : 'egress'}"}`
    );
  }

  /** The logger writes nanoseconds and leaves trailing zeros out. */
  #end(timeUs: number): string {
    const nanoseconds = (microseconds(timeUs) + String(this.#random.below(1000)).padStart(3, '0')).replace(
      /0+$/,
      '',
    );
    const fraction = nanoseconds === '' ? '' : `.${nanoseconds}`;
    return `"node_name":"${this.#node}","timestamp":"${this.#stamps.seconds(timeUs)}${fraction}Z"}\n`;
  }
}

function podSide(random: Random, ip: string): Side {
  const namespace = random.pick(NAMESPACES);
  const workload = `${random.pick(WORKLOADS)}-${random.hex(9)}`;
  const json =
    `{"pod_name":"${workload}-${random.hex(5)}","pod_namespace":"${namespace}","namespace":"${namespace}",` +
    `"workload_name":"${workload}","workload_kind":"ReplicaSet"}`;
  return { ip, json, namespace };
}

function policy(random: Random, namespace: string): string {
  return `{"name":"${random.pick(POLICIES)}","namespace":"${namespace}"}`;
}
