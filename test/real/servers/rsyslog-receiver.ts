import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Certificates, makeCertificates } from '../../helpers/certificates.ts';
import { freePort } from '../../helpers/free-port.ts';
import { accepts, ServerProcess } from './server-process.ts';

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
export class RsyslogReceiver extends ServerProcess {
  readonly tcpPort: number;
  readonly tlsPort: number;
  /** Has the names `server`, `client` and `stranger`. */
  readonly certificates: Certificates;

  private constructor(tcpPort: number, tlsPort: number) {
    super('rsyslog');
    this.tcpPort = tcpPort;
    this.tlsPort = tlsPort;
    mkdirSync(this.at('work'));
    this.certificates = makeCertificates(this.folder, ['server', 'client', 'stranger']);
  }

  static async start(): Promise<RsyslogReceiver> {
    return new RsyslogReceiver(await freePort(), await freePort()).started();
  }

  /** @param driver of TLS @param peer name in the certificates that it takes */
  override restart(driver: 'ossl' | 'gtls' = 'ossl', peer = 'client'): Promise<void> {
    writeFileSync(this.at('rsyslog.conf'), this.#configuration(driver, peer));
    return super.restart();
  }

  /** What it has written; messages that a broken connection cut off are passed over. */
  messages(): ReceivedMessage[] {
    const path = this.at('out');
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

  protected command(): readonly string[] {
    return ['rsyslogd', '-n', '-f', this.at('rsyslog.conf'), '-i', this.at('pid')];
  }

  protected async isReady(): Promise<boolean> {
    return (await accepts(this.tcpPort)) && accepts(this.tlsPort);
  }

  #configuration(driver: string, peer: string): string {
    const { ca, cert, key } = this.certificates;
    return `global(workDirectory="${this.folder}/work" maxMessageSize="64k" net.enableDNS="off"
  defaultNetstreamDriverCAFile="${ca}" defaultNetstreamDriverCertFile="${cert('server')}"
  defaultNetstreamDriverKeyFile="${key('server')}")
module(load="imudp")
module(load="imtcp")
template(name="fields" type="string" string="${FORMAT.map((name) => `%${name}%`).join('\x1f')}\\n")
ruleset(name="write" queue.type="Direct") {
  action(type="omfile" file="${this.folder}/out" template="fields")
}
input(type="imudp" address="127.0.0.1" port="${this.tcpPort}" ruleset="write")
input(type="imtcp" address="127.0.0.1" port="${this.tcpPort}" ruleset="write")
input(type="imtcp" address="127.0.0.1" port="${this.tlsPort}" ruleset="write" streamDriver.name="${driver}"
  streamDriver.mode="1" streamDriver.authMode="x509/name" permittedPeer=["${peer}"])
`;
  }
}
