import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const ALL_NETNS = '/proc/sys/net/netfilter/nf_log_all_netns';

/** Lets LOG rules in network namespaces reach the kernel's log. @returns what puts it back */
export function logAllNetworks(): () => void {
  const before = readFileSync(ALL_NETNS, 'utf8');
  writeFileSync(ALL_NETNS, '1');
  return () => writeFileSync(ALL_NETNS, before);
}

/**
 * A node with one pod and a server beyond it, as three network namespaces:
 *
 *     pod (eth0) ── caliXXXXXXXXXXX │ node │ eth0 ── server (eth0)
 *
 * Packets that the node's LOG rules match become real lines in the kernel's log. Addresses are drawn anew for
 * each lab, so lines of an earlier one that are still in the kernel's ring cannot be taken for its own.
 */
export class KernelLab {
  readonly podInterface = `cali${hex(11)}`;
  readonly podIp: string;
  readonly serverIp: string;
  readonly podIp6: string;
  readonly serverIp6: string;
  readonly #name = `pla${process.pid}`;
  readonly #net = `10.${200 + random(50)}`;
  readonly #net6 = `fd00:${hex(4)}:${hex(4)}`;
  #restoreLog = () => {};

  constructor() {
    this.podIp = `${this.#net}.1.2`;
    this.serverIp = `${this.#net}.2.2`;
    this.podIp6 = `${this.#net6}:1::2`;
    this.serverIp6 = `${this.#net6}:2::2`;
  }

  /** Why no lab can be made here, or undefined. */
  static unavailable(): string | undefined {
    if (process.getuid?.() !== 0) return 'it needs root (network namespaces and LOG rules)';
    for (const tool of ['ip', 'iptables', 'ip6tables', 'ping', 'rsyslogd']) {
      if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) return `${tool} is not installed`;
    }
    const probe = `pla${process.pid}probe`;
    if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return 'no network namespace can be made';
    const rule = ['-A', 'FORWARD', '-j', 'LOG', '--log-prefix', 'probe: '];
    const logs = spawnSync('ip', ['netns', 'exec', probe, 'iptables', ...rule]).status === 0;
    spawnSync('ip', ['netns', 'del', probe]);
    if (!logs) return 'this kernel takes no netfilter LOG rule';
    try {
      readFileSync(ALL_NETNS);
    } catch {
      return 'net.netfilter.nf_log_all_netns is not there';
    }
    return undefined;
  }

  up(): void {
    this.#restoreLog = logAllNetworks();
    const { pod, node, server } = this.#names();
    for (const name of [pod, node, server]) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    this.#wire(node, this.podInterface, pod, `${this.#net}.1`, `${this.#net6}:1:`);
    this.#wire(node, 'eth0', server, `${this.#net}.2`, `${this.#net6}:2:`);
    for (const key of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) {
      run('ip', 'netns', 'exec', node, 'sysctl', '-qw', `${key}=1`);
    }
  }

  /** What the pod sends and `rule` matches is logged with this prefix, then dropped. IPv4 and IPv6. */
  logAndDrop(prefix: string, rule: string[] = []): void {
    for (const family of ['iptables', 'ip6tables']) {
      const forward = ['ip', 'netns', 'exec', this.#names().node, family, '-A', 'FORWARD', ...rule];
      run(...forward, '-i', this.podInterface, '-j', 'LOG', '--log-prefix', prefix, '--log-level', '5');
      run(...forward, '-i', this.podInterface, '-j', 'DROP');
    }
  }

  /** The arguments before a command that is to run in the pod. */
  inPod(): string[] {
    return ['ip', 'netns', 'exec', this.#names().pod];
  }

  down(): void {
    for (const name of Object.values(this.#names())) spawnSync('ip', ['netns', 'del', name]);
    this.#restoreLog();
  }

  #names() {
    return { pod: `${this.#name}pod`, node: `${this.#name}node`, server: `${this.#name}srv` };
  }

  #wire(node: string, near: string, far: string, net: string, net6: string): void {
    ip('-n', node, 'link', 'add', near, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far);
    ip('-n', node, 'addr', 'add', `${net}.1/24`, 'dev', near);
    ip('-n', node, 'addr', 'add', `${net6}:1/64`, 'dev', near, 'nodad');
    ip('-n', node, 'link', 'set', near, 'up');
    ip('-n', far, 'addr', 'add', `${net}.2/24`, 'dev', 'eth0');
    ip('-n', far, 'addr', 'add', `${net6}:2/64`, 'dev', 'eth0', 'nodad');
    ip('-n', far, 'link', 'set', 'eth0', 'up');
    ip('-n', far, 'route', 'add', 'default', 'via', `${net}.1`);
    ip('-n', far, '-6', 'route', 'add', 'default', 'via', `${net6}:1`);
  }
}

function ip(...args: string[]): void {
  run('ip', ...args);
}

function run(...argv: string[]): void {
  execFileSync(argv[0]!, argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}

function hex(digits: number): string {
  return Array.from({ length: digits }, () => (1 + random(15)).toString(16)).join('');
}
