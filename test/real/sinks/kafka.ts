import type { Conformance, Destination } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import type { TcpProxy, Treatment } from '../../sinks/tcp-proxy.ts';
import { versions } from '../cache.ts';
import { KafkaBroker, PASSWORD } from '../servers/kafka-broker.ts';
import { outage } from './way.ts';

let shared: Promise<KafkaBroker> | undefined;
let topics = 0;

/** One broker for all, each test with a topic of its own. */
export function sharedBroker(): Promise<KafkaBroker> {
  shared ??= KafkaBroker.start();
  return shared;
}

export const kafkaPlain = kafka('kafka', {});
export const kafkaSecure = kafka('kafka, SCRAM, TLS, zstd, 4 at once', {
  ...{ compression: 'zstd', concurrency: 4, key: 'connection' },
  sasl: { username: 'agent', password: PASSWORD },
});

function kafka(
  name: string,
  options: Record<string, unknown>,
): Conformance<Destination & { broker: KafkaBroker; proxy: TcpProxy; topic: string }> {
  const isSecure = 'sasl' in options;
  return {
    name,
    destination: `Kafka ${versions.KAFKA}`,
    guarantee: 'at least once',
    async create() {
      const broker = await sharedBroker();
      const proxy = isSecure ? broker.secure : broker.plain;
      const topic = `policy-${++topics}`;
      await broker.createTopic(topic);
      return {
        broker,
        proxy,
        topic,
        config: configure({
          type: 'kafka',
          bootstrap_servers: [`127.0.0.1:${proxy.port}`],
          topic,
          ...options,
          ...(isSecure && { tls: { ca_file: broker.certificates.ca } }),
          request_timeout: '3s',
          retry: { backoff_min: '10ms', backoff_max: '100ms' },
          batch: { records_max: 100, age_max: '0ms' },
        }),
        received: async () => (await broker.consume(topic)).map(({ headers }) => headers.id!),
        close: () => proxy.resetAll(),
      };
    },
    faults: {
      accepts: () => {},
      'refuses one record': { never: 'it takes every record that is not too large' },
      'is too small for a batch': async ({ broker, topic }) => {
        await broker.alterTopic(topic, 'max.message.bytes=1200');
      },
      throttles: { never: 'it slows its answers down' },
      'refuses credentials': isSecure
        ? async ({ broker }) => {
            await broker.setPassword('another');
            return { end: () => broker.setPassword(PASSWORD) };
          }
        : { never: 'it takes none' },
      stalls: ({ proxy }) => treatUntilFelt(proxy, { kind: 'stall' }),
      'resets mid-body': ({ proxy }) => treatUntilFelt(proxy, { kind: 'reset_after', bytes: 3000 }),
      'answers garbage': ({ proxy }) => treatUntilFelt(proxy, { kind: 'garbage' }),
      'outage, 50,000 records waiting': ({ broker }) => outage(broker),
      'killed in mid-stream': ({ broker, proxy }) => {
        const back = Promise.withResolvers<void>();
        proxy.whenForwarded(isSecure ? 10_000 : 100_000, () => back.resolve(broker.stopAndRestart()));
        return { end: () => back.promise };
      },
      'agent killed in mid-stream': () => {},
    },
  };
}

/** The client tries some times by itself, so that a fault of one connection would not be felt. */
function treatUntilFelt(proxy: TcpProxy, treatment: Treatment) {
  proxy.treat = () => treatment;
  return {
    end: () => {
      proxy.treat = () => ({ kind: 'forward' });
    },
  };
}
