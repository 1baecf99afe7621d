import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../helpers/free-port.ts';
import { built, versions } from '../cache.ts';
import { makeCertificates, SERVICE_IP } from './certificates.ts';
import { Daemon } from './daemon.ts';

const READY_MS = 60_000;
const POLL_MS = 100;

/** Users of the token file, with their groups. The token of each is its name and `-token`. */
const USERS: Readonly<Record<string, string>> = {
  admin: 'system:masters',
  'system:kube-controller-manager': '',
  'system:kube-scheduler': '',
  'system:node:node-1': 'system:nodes',
};

/** What a pod finds of its service account, and how a client outside a pod would use it. */
export interface ServiceAccount {
  token: string;
  /** A folder with `token`, `ca.crt` and `namespace`, as /var/run/secrets/kubernetes.io/serviceaccount. */
  dir: string;
  kubeconfig: string;
}

export interface ApiServerOptions {
  /**
   * Further flags of kube-apiserver, e.g. `--min-request-timeout=2`, which ends watches every few seconds; a
   * function of the folder that the cluster's keys are in, where they name keys.
   */
  flags?: string[] | ((keysDir: string) => string[]);
  /** Where it listens and what else its certificate is for; default: the loopback address alone. */
  address?: string;
  /** What stands before the command of a server, e.g. to run it in a network namespace. */
  within?: string[];
}

/**
 * A real kube-apiserver with a real etcd, in a temporary folder, on ports of their own. Authorization is RBAC's;
 * `kubectl` acts as a cluster administrator, a service account only as its bindings let it. There are no
 * controllers: nothing makes pods of a DaemonSet, and the service account `default` is not made either.
 *
 * It promises that everything it was told is there again after `restart`, and that nothing of it is left after
 * `close`, however the test ended.
 */
export class ApiServer {
  readonly dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-api-server-'));
  readonly within: readonly string[];
  readonly #options: ApiServerOptions;
  #etcdUrl = '';
  #port = 0;
  #etcd: Daemon | undefined;
  #server: Daemon | undefined;

  constructor(options: ApiServerOptions = {}) {
    this.#options = options;
    this.within = options.within ?? [];
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `https://${this.#options.address ?? '127.0.0.1'}:${this.#port}`;
  }

  /** The certificate authority that signed its certificate; the cluster's other keys are beside it. */
  get caFile(): string {
    return join(this.dir, 'keys/ca.crt');
  }

  /** For tools that act as the administrator, such as helm. */
  get adminKubeconfig(): string {
    return join(this.dir, 'admin.kubeconfig');
  }

  async start(): Promise<void> {
    const { flags = [] } = this.#options;
    const keys = join(this.dir, 'keys');
    makeCertificates(keys, this.#options.address === undefined ? [] : [this.#options.address]);
    const users = Object.entries(USERS).map(([user, groups]) => `${user}-token,${user},${user},"${groups}"`);
    writeFileSync(join(this.dir, 'tokens.csv'), `${users.join('\n')}\n`);

    const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
    this.#etcdUrl = `http://127.0.0.1:${client}`;
    this.#port = port;
    this.kubeconfig('admin', 'admin-token');
    const peerUrl = `http://127.0.0.1:${peer}`;
    this.#etcd = this.#daemon('etcd', [
      built(`etcd-${versions.ETCD}/etcd`),
      ...['--name', 'test', '--data-dir', join(this.dir, 'etcd'), '--unsafe-no-fsync'],
      ...['--listen-client-urls', this.#etcdUrl, '--advertise-client-urls', this.#etcdUrl],
      ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
      ...['--initial-cluster', `test=${peerUrl}`],
    ]);
    this.#server = this.#daemon('kube-apiserver', [
      built(`kubernetes-${versions.KUBERNETES}/kube-apiserver`),
      `--etcd-servers=${this.#etcdUrl}`,
      `--secure-port=${port}`,
      ...(this.#options.address === undefined ? ['--bind-address=127.0.0.1'] : []),
      `--tls-cert-file=${join(keys, 'server.crt')}`,
      `--tls-private-key-file=${join(keys, 'server.key')}`,
      `--client-ca-file=${join(keys, 'ca.crt')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${join(keys, 'service-accounts.key')}`,
      `--service-account-signing-key-file=${join(keys, 'service-accounts.key')}`,
      `--token-auth-file=${join(this.dir, 'tokens.csv')}`,
      '--authorization-mode=Node,RBAC',
      `--service-cluster-ip-range=${SERVICE_IP.replace(/\d+$/, '0')}/24`,
      '--endpoint-reconciler-type=none',
      ...(typeof flags === 'function' ? flags(keys) : flags),
    ]);
    this.#etcd.start();
    this.#server.start();
    await this.#untilReady();
  }

  /** Ends the API server as a crash would, or gently; etcd stays. Requests fail until `resume`. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#server?.stop(signal);
  }

  /** Starts the API server again, at the same address. */
  async resume(): Promise<void> {
    this.#server?.start();
    await this.#untilReady();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.resume();
  }

  /**
   * Has etcd forget every revision but the latest, and restarts the API server, which would otherwise go on from
   * its cache: whoever then watches from an older resourceVersion is told 410 Gone.
   */
  async compact(): Promise<void> {
    const post = async (path: string, body: object) => {
      const response = await fetch(`${this.#etcdUrl}${path}`, { method: 'POST', body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`etcd refuses ${path}: ${await response.text()}`);
      return response.json() as Promise<{ header: { revision: string } }>;
    };
    const { header } = await post('/v3/maintenance/status', {});
    await post('/v3/kv/compaction', { revision: header.revision, physical: true });
    await this.restart();
  }

  /** Runs kubectl as the administrator and returns its standard output; throws with what it says. */
  kubectl(args: readonly string[], input?: string): string {
    const [program, ...rest] = [
      ...this.within,
      built(`kubernetes-${versions.KUBERNETES}/kubectl`),
      ...['--kubeconfig', this.adminKubeconfig, ...args],
    ];
    return execFileSync(program!, rest, {
      encoding: 'utf8',
      input,
      stdio: 'pipe',
      env: { ...process.env, HOME: this.dir },
    });
  }

  /** Applies manifests: YAML, or objects. */
  apply(manifests: string | readonly object[]): void {
    const text =
      typeof manifests === 'string'
        ? manifests
        : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests });
    this.kubectl(['apply', '--server-side', '-f', '-'], text);
  }

  /** Writes a kubeconfig file for a token, and returns its path. */
  kubeconfig(user: string, token: string): string {
    const file = join(this.dir, `${user.replaceAll(':', '-')}.kubeconfig`);
    const cluster = { server: this.url, 'certificate-authority': this.caFile };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user } }],
      'current-context': 'test',
    };
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  /** A token of an existing service account, as the kubelet would ask one for a pod. */
  serviceAccount(namespace: string, name: string): ServiceAccount {
    const token = this.kubectl(['create', 'token', name, '--namespace', namespace]).trim();
    const dir = join(this.dir, `serviceaccount-${namespace}-${name}`);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'token'), token);
    writeFileSync(join(dir, 'namespace'), namespace);
    writeFileSync(join(dir, 'ca.crt'), readFileSync(this.caFile));
    return { token, dir, kubeconfig: this.kubeconfig(`${namespace}-${name}`, token) };
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#etcd?.stop('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }

  #daemon(name: string, command: string[]): Daemon {
    return new Daemon([...this.within, ...command], join(this.dir, `${name}.log`));
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      this.#etcd?.assertRunning();
      this.#server?.assertRunning();
      try {
        this.kubectl(['get', '--raw', '/readyz']);
        this.kubectl(['get', 'namespace', 'default', 'kube-system']);
        return;
      } catch (error) {
        if (Date.now() > deadline) throw new Error('the API server does not become ready', { cause: error });
        await sleep(POLL_MS);
      }
    }
  }
}
