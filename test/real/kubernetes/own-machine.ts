import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BEGIN = `set -e
mount --make-rshared /
mount -t tmpfs tmpfs /run
mount --bind "$1/lib" /var/lib
mount --bind "$1/log" /var/log
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1
touch "$1/begun"
exec sleep infinity`;

/**
 * What a node of a cluster looks like to what runs on it: processes, a network, mounts, /run, /var/lib and
 * /var/log of its own. One interface, `eth0`, leads to the machine that the test runs on.
 *
 * It promises to leave nothing behind: everything in it ends with its first process, and that one with the test.
 */
export class OwnMachine {
  readonly dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-node-'));
  readonly #net = `10.${150 + Math.floor(Math.random() * 50)}`;
  readonly #outside = `pla${process.pid}`;
  #first: ChildProcess | undefined;
  #firstPid = 0;

  /** Its address, and that of the machine outside, by which it reaches the test's own servers. */
  get address(): string {
    return `${this.#net}.0.1`;
  }

  get outsideAddress(): string {
    return `${this.#net}.0.254`;
  }

  /** The network of its pods. */
  get podNetwork(): string {
    return `${this.#net}.1.0/24`;
  }

  /** The folder that is its /var/log. */
  get logDir(): string {
    return join(this.dir, 'log');
  }

  /** What stands before a command that is to run in it. */
  get within(): string[] {
    return ['nsenter', '--target', String(this.#firstPid), '--mount', '--net', '--pid', '--'];
  }

  async start(): Promise<void> {
    for (const folder of ['lib', 'log']) mkdirSync(join(this.dir, folder));
    const own = ['--mount', '--net', '--pid', '--mount-proc', '--fork', '--kill-child'];
    const first = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'unshare', ...own, 'sh', '-c', BEGIN, 'sh', this.dir],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    this.#first = first;
    const children = `/proc/${first.pid}/task/${first.pid}/children`;
    while (this.#firstPid === 0 || !this.#begun()) {
      if (first.exitCode !== null) throw new Error('no network, mount and process namespace can be made');
      await sleep(10);
      this.#firstPid = Number(readFileSync(children, 'utf8').trim());
    }
    const ip = (...args: string[]) => execFileSync('ip', args);
    ip('link', 'add', this.#outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(this.#firstPid));
    ip('address', 'add', `${this.outsideAddress}/24`, 'dev', this.#outside);
    ip('link', 'set', this.#outside, 'up');
    this.run('ip', 'address', 'add', `${this.address}/24`, 'dev', 'eth0');
    this.run('ip', 'link', 'set', 'eth0', 'up');
    this.run('ip', 'route', 'add', 'default', 'via', this.outsideAddress);
  }

  /** Runs a command in it and returns its standard output; throws with what it says where it fails. */
  run(...command: string[]): string {
    const [program, ...args] = [...this.within, ...command];
    return execFileSync(program!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async close(): Promise<void> {
    if (this.#first !== undefined && this.#first.exitCode === null && this.#first.signalCode === null) {
      const exited = once(this.#first, 'exit');
      this.#first.kill('SIGKILL');
      await exited;
    }
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20 });
  }

  #begun(): boolean {
    try {
      readFileSync(join(this.dir, 'begun'));
      return true;
    } catch {
      return false;
    }
  }
}
