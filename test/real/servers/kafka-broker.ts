import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Admin, Consumer } from '@platformatic/kafka';
import { type Certificates, makeCertificates } from '../../helpers/certificates.ts';
import { freePort } from '../../helpers/free-port.ts';
import { TcpProxy } from '../../sinks/tcp-proxy.ts';
import { built, versions } from '../cache.ts';
import { ServerProcess } from './server-process.ts';

export interface ConsumedMessage {
  readonly key: string | undefined;
  readonly value: string;
  readonly partition: number;
  readonly headers: Readonly<Record<string, string>>;
}

const JAVA = ['java', '-Xms64m', '-Xmx384m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp'];
const CLUSTER_ID = '4L6g3nShT-eMCtK--X86sw';
/** Of the user `agent`. */
export const PASSWORD = 'secret';

/**
 * A real Kafka of one broker, with a plain listener and one with SASL over TLS, each behind a proxy that it names as
 * its own address, so that faults stand between it and every client.
 */
export class KafkaBroker extends ServerProcess {
  readonly plain: TcpProxy;
  readonly secure: TcpProxy;
  readonly certificates: Certificates;

  private constructor(ports: readonly [number, number, number], proxies: [TcpProxy, TcpProxy]) {
    super('kafka');
    [this.plain, this.secure] = proxies;
    mkdirSync(this.at('data'));
    this.certificates = makeCertificates(this.folder, ['server']);
    const { cert, key } = this.certificates;
    writeFileSync(
      this.at('server-all.pem'),
      readFileSync(key('server'), 'utf8') + readFileSync(cert('server'), 'utf8'),
    );
    writeFileSync(this.at('server.properties'), configuration(this.folder, ports, proxies));
    writeFileSync(
      this.at('log4j2.properties'),
      'rootLogger.level=warn\nrootLogger.appenderRef.c.ref=C\nappender.c.type=Console\nappender.c.name=C\nappender.c.layout.type=PatternLayout\nappender.c.layout.pattern=%d %p %c: %m%n\n',
    );
  }

  static async start(): Promise<KafkaBroker> {
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const proxies: [TcpProxy, TcpProxy] = [new TcpProxy(ports[0]), new TcpProxy(ports[1])];
    for (const proxy of proxies) await proxy.start();
    const broker = new KafkaBroker(ports, proxies);
    const users = ['SCRAM-SHA-512', 'SCRAM-SHA-256'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=agent,password=${PASSWORD}]`,
    ]);
    const format = ['format', '-t', CLUSTER_ID, '-c', broker.at('server.properties'), ...users];
    await runJava('kafka.tools.StorageTool', ...format);
    return broker.started();
  }

  async createTopic(topic: string, configs: Readonly<Record<string, string>> = {}): Promise<void> {
    const admin = this.#admin();
    const list = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [topic], partitions: 3, replicas: 1, configs: list });
    await admin.close();
  }

  /** Changes settings of a topic. */
  alterTopic(topic: string, settings: string): Promise<void> {
    return this.#alter('topics', topic, settings);
  }

  /** Changes the password of the user `agent` for SCRAM-SHA-512. */
  setPassword(password: string): Promise<void> {
    return this.#alter('users', 'agent', `SCRAM-SHA-512=[password=${password}]`);
  }

  /** All that a topic has, by partition in order. */
  async consume(topic: string): Promise<ConsumedMessage[]> {
    const consumer = new Consumer({
      ...{ clientId: 'test', groupId: `test-${topic}-${Date.now()}`, bootstrapBrokers: [this.#address()] },
      retries: 10,
    });
    try {
      const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic)!;
      const unread = new Map([...ends.entries()].filter(([, end]) => end > 0n));
      const messages: ConsumedMessage[] = [];
      if (unread.size === 0) return messages;
      const stream = await consumer.consume({
        topics: [topic],
        mode: 'earliest',
        autocommit: false,
        maxWaitTime: 100,
      });
      for await (const { key, value, partition, offset, headers } of stream) {
        messages.push({
          key: key?.toString(),
          value: value.toString(),
          partition,
          headers: Object.fromEntries(
            [...headers].map(([name, content]) => [name.toString(), content.toString()]),
          ),
        });
        // By position, not by number: it would be short of what comes twice.
        if (offset + 1n === unread.get(partition)) unread.delete(partition);
        if (unread.size === 0) break;
      }
      return messages.sort((a, b) => a.partition - b.partition);
    } finally {
      await consumer.close(true);
    }
  }

  override async close(): Promise<void> {
    await super.close();
    for (const proxy of [this.plain, this.secure]) await proxy.close();
  }

  protected command(): readonly string[] {
    const log4j = `-Dlog4j2.configurationFile=${this.at('log4j2.properties')}`;
    return [...JAVA, jars(), log4j, 'kafka.Kafka', this.at('server.properties')];
  }

  protected async isReady(): Promise<boolean> {
    const admin = this.#admin();
    try {
      await admin.listTopics();
      return true;
    } catch {
      return false;
    } finally {
      await admin.close();
    }
  }

  #alter(type: string, name: string, settings: string): Promise<void> {
    const entity = ['--alter', '--entity-type', type, '--entity-name', name, '--add-config', settings];
    return runJava('kafka.admin.ConfigCommand', '--bootstrap-server', this.#address(), ...entity);
  }

  #address(): string {
    return `127.0.0.1:${this.plain.port}`;
  }

  #admin(): Admin {
    return new Admin({
      clientId: 'test',
      bootstrapBrokers: [this.#address()],
      retries: 0,
      connectTimeout: 1000,
    });
  }
}

async function runJava(mainClass: string, ...args: string[]): Promise<void> {
  const [java, ...options] = JAVA;
  await promisify(execFile)(java!, [...options, jars(), mainClass, ...args]);
}

function jars(): string {
  return join(built(`kafka-${versions.KAFKA}/lib`), '*');
}

function configuration(
  folder: string,
  [plain, secure, controller]: readonly [number, number, number],
  [plainProxy, secureProxy]: readonly [TcpProxy, TcpProxy],
): string {
  const jaas = (module: string, rest = '') => `org.apache.kafka.common.security.${module} required${rest};`;
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${plain},SASL_SSL://127.0.0.1:${secure},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${plainProxy.port},SASL_SSL://127.0.0.1:${secureProxy.port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=${jaas('scram.ScramLoginModule')}
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=${jaas('scram.ScramLoginModule')}
listener.name.sasl_ssl.plain.sasl.jaas.config=${jaas('plain.PlainLoginModule', ` user_agent="${PASSWORD}"`)}
ssl.keystore.type=PEM
ssl.keystore.location=${folder}/server-all.pem
log.dirs=${folder}/data
num.partitions=3
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.enable=false
`;
}
