import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Certificates, makeCertificates } from '../../helpers/certificates.ts';
import { freePort } from '../../helpers/free-port.ts';
import { Daemon } from '../kubernetes/daemon.ts';

/** One message as rsyslog understood it. */
export interface ReceivedMessage {
  readonly pri: string;
  readonly time: string;
  readonly host: string;
  readonly app: string;
  readonly msgid: string;
  readonly data: string;
  readonly text: string;
}

const READY_MS_MAX = 20_000;
const LOOK_EVERY_MS = 10;
const FORMAT = [
  'pri',
  'timereported:::date-rfc3339',
  'hostname',
  'app-name',
  'msgid',
  'structured-data',
  'msg',
];

/** A real rsyslogd that receives over TCP, TLS with client certificates, and UDP, and writes what it understood. */
export class RsyslogReceiver {
  readonly tcpPort: number;
  readonly tlsPort: number;
  /** Has the names `server`, `client` and `stranger`. */
  readonly certificates: Certificates;
  readonly #folder = mkdtempSync(join(tmpdir(), 'rsyslog-'));
  readonly #daemon: Daemon;
  #peer = 'client';

  private constructor(tcpPort: number, tlsPort: number) {
    this.tcpPort = tcpPort;
    this.tlsPort = tlsPort;
    mkdirSync(join(this.#folder, 'work'));
    this.certificates = makeCertificates(this.#folder, ['server', 'client', 'stranger']);
    const at = (name: string) => join(this.#folder, name);
    const command = ['rsyslogd', '-n', '-f', at('rsyslog.conf'), '-i', at('pid')];
    this.#daemon = new Daemon(command, at('server.log'));
  }

  static async start(): Promise<RsyslogReceiver> {
    const receiver = new RsyslogReceiver(await freePort(), await freePort());
    await receiver.restart();
    return receiver;
  }

  /** @param driver of TLS @param peer name in the certificates that it takes */
  async restart(driver: 'ossl' | 'gtls' = 'ossl', peer = 'client'): Promise<void> {
    this.#peer = peer;
    writeFileSync(join(this.#folder, 'rsyslog.conf'), this.#configuration(driver));
    this.#daemon.start();
    const deadline = Date.now() + READY_MS_MAX;
    while (!(await accepts(this.tcpPort))) {
      this.#daemon.assertRunning();
      if (Date.now() > deadline) throw new Error('rsyslogd does not listen');
      await pause(LOOK_EVERY_MS);
    }
  }

  stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.#daemon.stop(signal);
  }

  /** What it has written; messages that a broken connection cut off are passed over. */
  messages(): ReceivedMessage[] {
    const path = join(this.#folder, 'out');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    return lines.map((line) => {
      const [pri = '', time = '', host = '', app = '', msgid = '', data = '', text = ''] = line.split('\x1f');
      return { pri, time, host, app, msgid, data, text };
    });
  }

  /** The ids of the JSON records that came. */
  ids(): string[] {
    return this.messages().flatMap(({ text }) => {
      try {
        return [(JSON.parse(text) as { id: string }).id];
      } catch {
        return [];
      }
    });
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #configuration(driver: string): string {
    const { ca, cert, key } = this.certificates;
    return `global(workDirectory="${this.#folder}/work" maxMessageSize="64k" net.enableDNS="off"
  defaultNetstreamDriverCAFile="${ca}" defaultNetstreamDriverCertFile="${cert('server')}"
  defaultNetstreamDriverKeyFile="${key('server')}")
module(load="imudp")
module(load="imtcp")
template(name="fields" type="string" string="${FORMAT.map((name) => `%${name}%`).join('\x1f')}\\n")
ruleset(name="write" queue.type="Direct") {
  action(type="omfile" file="${this.#folder}/out" template="fields")
}
input(type="imudp" address="127.0.0.1" port="${this.tcpPort}" ruleset="write")
input(type="imtcp" address="127.0.0.1" port="${this.tcpPort}" ruleset="write")
input(type="imtcp" address="127.0.0.1" port="${this.tlsPort}" ruleset="write" streamDriver.name="${driver}"
  streamDriver.mode="1" streamDriver.authMode="x509/name" permittedPeer=["${this.#peer}"])
`;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
