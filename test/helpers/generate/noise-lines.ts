import { Random } from '../random.ts';
import type { LineSource } from './line-source.ts';
import { type Envelope, Stamps } from './stamps.ts';

export interface NoiseLinesOptions {
  seed: number;
  /** Event time of the first line, in microseconds since the epoch. */
  startUs: number;
  linesPerSecond: number;
  host?: string;
  envelope?: Envelope;
}

type Message = (random: Random, iso: string) => string;

const NAMESPACES = ['default', 'kube-system', 'shop', 'payments', 'monitoring', 'ingress-nginx'];
const WORKLOADS = [
  'frontend',
  'cart',
  'checkout-service',
  'redis',
  'coredns',
  'node-exporter',
  'api-gateway',
];

const pod = (random: Random) => `${random.pick(WORKLOADS)}-${random.hex(9)}-${random.hex(5)}`;
const address = (random: Random) => `10.${random.below(255)}.${random.below(255)}.${random.below(255)}`;
const klog = (random: Random, iso: string, level: string) =>
  `kubelet[1187]: ${level}${iso.slice(5, 7)}${iso.slice(8, 10)} ${iso.slice(11)}.${random.hex(6).replace(/\D/g, '0')}    1187`;
const containerd = (iso: string, level: string) =>
  `containerd[934]: time="${iso}.000000000Z" level=${level} msg=`;

/** What a node's syslog is full of. One of them is a packet's, but not with a prefix of ours. */
const MESSAGES: readonly Message[] = [
  (r, iso) =>
    `${klog(r, iso, 'I')} reconciler_common.go:251] "operationExecutor.VerifyControllerAttachedVolume started for volume \\"kube-api-access-${r.hex(5)}\\" (UniqueName: \\"kubernetes.io/projected/${r.hex(8)}-${r.hex(4)}-${r.hex(4)}-${r.hex(12)}-kube-api-access\\") pod \\"${pod(r)}\\" (UID: \\"${r.hex(8)}-${r.hex(4)}-${r.hex(4)}-${r.hex(12)}\\") " pod="${r.pick(NAMESPACES)}/${pod(r)}"`,
  (r, iso) =>
    `${klog(r, iso, 'I')} prober.go:107] "Probe failed" probeType="Readiness" pod="${r.pick(NAMESPACES)}/${pod(r)}" podUID="${r.hex(8)}-${r.hex(4)}-${r.hex(4)}-${r.hex(12)}" containerName="app" probeResult="failure" output="HTTP probe failed with statuscode: 503"`,
  (r, iso) =>
    `${klog(r, iso, 'E')} pod_workers.go:1301] "Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"app\\" with CrashLoopBackOff: \\"back-off 5m0s restarting failed container=app\\"" pod="${r.pick(NAMESPACES)}/${pod(r)}"`,
  (r, iso) =>
    `${klog(r, iso, 'I')} kubelet_volumes.go:163] "Cleaned up orphaned pod volumes dir" podUID="${r.hex(8)}-${r.hex(4)}-${r.hex(4)}-${r.hex(12)}" path="/var/lib/kubelet/pods/volumes"`,
  (r, iso) => `${containerd(iso, 'info')}"StartContainer for \\"${r.hex(64)}\\" returns successfully"`,
  (r, iso) =>
    `${containerd(iso, 'info')}"CreateContainer within sandbox \\"${r.hex(64)}\\" for container &ContainerMetadata{Name:app,Attempt:${r.below(9)},}"`,
  (r, iso) =>
    `${containerd(iso, 'warning')}"cleaning up after shim disconnected" id=${r.hex(64)} namespace=k8s.io`,
  (r) =>
    `systemd[1]: run-containerd-runc-k8s.io-${r.hex(64)}-runc.${r.hex(6)}.mount: Deactivated successfully.`,
  (r) => `systemd[1]: cri-containerd-${r.hex(64)}.scope: Consumed ${r.below(90)}.${r.below(999)}s CPU time.`,
  (r) =>
    `sshd[${r.below(32768)}]: Failed password for invalid user admin from ${address(r)} port ${32768 + r.below(28000)} ssh2`,
  (r) =>
    `sshd[${r.below(32768)}]: Accepted publickey for core from ${address(r)} port ${32768 + r.below(28000)} ssh2: ED25519 SHA256:${r.hex(43)}`,
  (r) =>
    `kernel: [${200_000 + r.below(9999)}.${100_000 + r.below(899_999)}] cali${r.hex(11)}: Caught tx_queue_len zero misconfig`,
  (r) =>
    `kernel: [${200_000 + r.below(9999)}.${100_000 + r.below(899_999)}] audit: type=1400 audit(1757082880.${r.below(999)}:${r.below(99999)}): apparmor="DENIED" operation="ptrace" profile="cri-containerd.apparmor.d" pid=${r.below(32768)} comm="node_exporter" requested_mask="read" denied_mask="read" peer="unconfined"`,
  (r) =>
    `kernel: [${200_000 + r.below(9999)}.${100_000 + r.below(899_999)}] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56:${r.hex(2)}:00:27:00:00:01:08:00 SRC=${address(r)} DST=192.168.10.5 LEN=40 TOS=0x00 PREC=0x00 TTL=244 ID=${r.below(65536)} PROTO=TCP SPT=${1024 + r.below(60000)} DPT=${r.below(65536)} WINDOW=1024 RES=0x00 SYN URGP=0 `,
  (r) =>
    `calico-node[2211]: 2026-09-05 ${r.below(24)}:00:00.000 [INFO][62] felix/int_dataplane.go 1954: Received interface addresses update msg=&intdataplane.ifaceAddrsUpdate{Name:"cali${r.hex(11)}", Addrs:set.Typed[string]{}}`,
];

/** Everything else in a node's syslog: kubelet, containerd, systemd, sshd, other kernel lines. */
export class NoiseLines implements LineSource {
  nextUs: number;
  readonly #random: Random;
  readonly #stamps = new Stamps();
  readonly #envelope: Envelope;
  readonly #host: string;
  readonly #pauseUs: number;
  /** Making such a line costs more than any reader needs for it, so a stock of messages is drawn from. */
  readonly #stock: string[];

  constructor(options: NoiseLinesOptions) {
    this.#random = new Random(options.seed);
    this.#envelope = options.envelope ?? 'traditional';
    this.#host = ` ${options.host ?? 'worker-1'} `;
    this.#pauseUs = 1_000_000 / options.linesPerSecond;
    this.nextUs = options.startUs;
    const iso = this.#stamps.seconds(options.startUs);
    this.#stock = Array.from({ length: 4096 }, () => `${this.#random.pick(MESSAGES)(this.#random, iso)}\n`);
  }

  next(): string {
    const line =
      this.#stamps.stamp(this.#envelope, this.nextUs) + this.#host + this.#random.pick(this.#stock);
    this.nextUs += 1 + Math.floor(this.#pauseUs * 2 * this.#random.unit());
    return line;
  }
}
