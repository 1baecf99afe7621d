import { cpSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { built, versions } from '../cache.ts';
import { ApiServer } from './api-server.ts';
import { SERVICE_IP } from './certificates.ts';
import { Daemon } from './daemon.ts';
import { OwnMachine } from './own-machine.ts';

const PLUGINS = '/usr/lib/cni';
const READY_MS = 60_000;
const POLL_MS = 200;

/**
 * A whole cluster of one real node, `node-1`: etcd, API server, controllers, scheduler, containerd and kubelet,
 * on a machine of their own (see OwnMachine). Pods are wired as Calico wires them. Of what clusters have besides,
 * it has the way to the API server's Service and a name server for Services that are published to it.
 */
export class ClusterNode {
  readonly machine = new OwnMachine();
  #api: ApiServer | undefined;
  readonly #daemons: Daemon[] = [];

  get api(): ApiServer {
    if (this.#api === undefined) throw new Error('the node is not started');
    return this.#api;
  }

  /** @param images archives (`podman save`) of the images that pods are made of; the first is the pause image */
  async start(pauseImage: string, images: readonly string[]): Promise<void> {
    const { machine } = this;
    await machine.start();
    this.#configure(pauseImage);
    const program = (name: string) => built(`kubernetes-${versions.KUBERNETES}/${name}`);
    this.#daemon('containerd', ['containerd', '--config', join(machine.dir, 'containerd.toml')]);

    const keys = () => join(this.api.dir, 'keys');
    this.#api = new ApiServer({
      within: machine.within,
      address: machine.address,
      flags: (dir) => [
        `--kubelet-client-certificate=${join(dir, 'kubelet-client.crt')}`,
        `--kubelet-client-key=${join(dir, 'kubelet-client.key')}`,
        `--kubelet-certificate-authority=${join(dir, 'ca.crt')}`,
        '--kubelet-preferred-address-types=InternalIP',
        '--allow-privileged=true',
      ],
    });
    await this.#api.start();
    const as = (user: string) => `--kubeconfig=${this.api.kubeconfig(user, `${user}-token`)}`;
    this.#daemon('kube-controller-manager', [
      program('kube-controller-manager'),
      as('system:kube-controller-manager'),
      ...['--bind-address=127.0.0.1', '--leader-elect=false', '--authentication-skip-lookup=true'],
      ...['--use-service-account-credentials=true', `--root-ca-file=${join(keys(), 'ca.crt')}`],
      `--service-account-private-key-file=${join(keys(), 'service-accounts.key')}`,
    ]);
    this.#daemon('kube-scheduler', [
      program('kube-scheduler'),
      as('system:kube-scheduler'),
      ...['--bind-address=127.0.0.1', '--leader-elect=false', '--authentication-skip-lookup=true'],
    ]);
    // What kube-proxy would do for the API server's Service, and a node's way out for its pods.
    for (const chain of ['OUTPUT', 'PREROUTING']) {
      const service = ['-d', SERVICE_IP, '-p', 'tcp', '--dport', '443'];
      const server = `${machine.address}:${this.#api.port}`;
      machine.run('iptables', '-t', 'nat', '-A', chain, ...service, '-j', 'DNAT', '--to-destination', server);
    }
    machine.run('iptables', '-t', 'nat', '-A', 'POSTROUTING', '-o', 'eth0', '-j', 'MASQUERADE');
    for (const archive of images) await this.#import(archive);
    this.#daemon('kubelet', [
      program('kubelet'),
      `--config=${this.#kubeletConfig()}`,
      as('system:node:node-1'),
      ...['--hostname-override=node-1', `--node-ip=${machine.address}`],
    ]);
    mkdirSync(join(machine.dir, 'names'));
    this.#daemon('dnsmasq', [
      ...[
        'dnsmasq',
        '--keep-in-foreground',
        '--user=root',
        '--no-resolv',
        '--no-hosts',
        '--local=/cluster.local/',
      ],
      ...['--pid-file=', `--listen-address=${machine.address}`, `--hostsdir=${join(machine.dir, 'names')}`],
    ]);
    await this.until(
      'the node is ready',
      () =>
        this.kubectl(
          'get',
          'node',
          'node-1',
          '-o',
          'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
        ) === 'True',
    );
    await this.until('there is a service account', () => this.kubectl('get', 'serviceaccount', 'default'));
  }

  kubectl(...args: string[]): string {
    return this.api.kubectl(args);
  }

  /** Asks again until there is an answer, and returns it; a command that fails counts as none yet. */
  async until<T>(what: string, ask: () => T | Promise<T>, timeoutMs = READY_MS): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    let failure: unknown;
    while (Date.now() < deadline) {
      for (const daemon of this.#daemons) daemon.assertRunning();
      try {
        const answer = await ask();
        if (answer) return answer;
      } catch (error) {
        failure = error;
      }
      await sleep(POLL_MS);
    }
    throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: failure });
  }

  /** Gives a headless Service its name in the cluster's DNS, from its endpoints. */
  publish(namespace: string, service: string): void {
    const path = 'jsonpath={.items[*].endpoints[*].addresses[0]}';
    const slices = ['get', 'endpointslices', '-n', namespace, '-l', `kubernetes.io/service-name=${service}`];
    const addresses = this.kubectl(...slices, '-o', path).split(' ');
    const name = `${service}.${namespace}.svc.cluster.local`;
    writeFileSync(
      join(this.machine.dir, 'names', service),
      addresses.map((ip) => `${ip} ${name}\n`).join(''),
    );
  }

  async close(): Promise<void> {
    await this.machine.close();
    await this.#api?.close();
    removeCgroups();
  }

  #daemon(name: string, command: string[]): void {
    const daemon = new Daemon([...this.machine.within, ...command], join(this.machine.dir, `${name}.log`));
    daemon.start();
    this.#daemons.push(daemon);
  }

  async #import(archive: string): Promise<void> {
    await this.until('containerd runs', () => this.machine.run('ctr', 'version'));
    this.machine.run('ctr', '--namespace', 'k8s.io', 'images', 'import', archive);
  }

  #configure(pauseImage: string): void {
    const { dir, podNetwork } = this.machine;
    cpSync(PLUGINS, join(dir, 'cni'), { recursive: true, dereference: true });
    cpSync(join(import.meta.dirname, 'calico-like.sh'), join(dir, 'cni/calico-like'));
    mkdirSync(join(dir, 'cni-config'));
    const ipam = { type: 'host-local', ranges: [[{ subnet: podNetwork }]] };
    const plugins = [{ type: 'calico-like', ipam }];
    const network = { cniVersion: '0.4.0', name: 'pods', plugins };
    writeFileSync(join(dir, 'cni-config/10-pods.conflist'), JSON.stringify(network));
    // Containers may not ask for more than the machine itself may: no lower oom_score_adj, no AppArmor.
    writeFileSync(
      join(dir, 'containerd.toml'),
      `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${join(dir, 'cni')}"
    conf_dir = "${join(dir, 'cni-config')}"
`,
    );
  }

  #kubeletConfig(): string {
    const keys = join(this.api.dir, 'keys');
    const file = join(this.machine.dir, 'kubelet.yaml');
    const config = {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
      cgroupDriver: 'cgroupfs',
      failCgroupV1: false,
      failSwapOn: false,
      oomScoreAdj: 0,
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: join(keys, 'ca.crt') },
      },
      authorization: { mode: 'Webhook' },
      tlsCertFile: join(keys, 'kubelet.crt'),
      tlsPrivateKeyFile: join(keys, 'kubelet.key'),
      clusterDomain: 'cluster.local',
      clusterDNS: [this.machine.address],
      evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
      imageGCHighThresholdPercent: 100,
      imageGCLowThresholdPercent: 99,
      // How often mounted ConfigMaps are looked at: a test does not wait for a minute.
      syncFrequency: '1s',
    };
    writeFileSync(file, stringify(config));
    return file;
  }
}

/** Control groups are the one thing of the kubelet that no namespace takes along. */
function removeCgroups(): void {
  const remove = (dir: string) => {
    let entries: string[];
    try {
      entries = readdirSync(dir, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name);
    } catch {
      return;
    }
    for (const entry of entries) remove(join(dir, entry));
    rmdirSync(dir);
  };
  const root = '/sys/fs/cgroup';
  for (const controller of ['', ...readdirSync(root)]) remove(join(root, controller, 'kubepods'));
}
