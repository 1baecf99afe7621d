import { compatibilityPartitioner, Producer } from '@platformatic/kafka';
import type { KafkaSinkOptions } from '../agent/config/sinks/kafka.ts';
import type { Connection } from '../parsers/record.ts';
import { AbortedError } from './http-client.ts';
import { judgeError } from './http-outcome.ts';
import { judgeKafkaError } from './kafka/outcome.ts';
import type { Batch, Outcome, OutgoingRecord, Sink, SinkContext } from './sink.ts';
import { readTls } from './tls.ts';

/** What the client does again by itself, with the same sequence numbers, so that the brokers know a repetition. */
const CLIENT_RETRIES = 3;
const CLIENT_RETRY_DELAY_MS = 200;
const CONNECT_MS_MAX = 5000;

/**
 * Records as messages in Kafka, each with its id in a header.
 *
 * A batch is delivered when all replicas in sync have it (`acks=all`). With one request at a time the producer is
 * idempotent: where only an answer was lost, its own few retries repeat nothing. Beyond them it is given up, and a batch
 * that is sent again by a new one may repeat, also in part, for a batch may go to several partitions. After any failure
 * the next batch gets a new producer, which knows no old connection and asks anew who leads the partitions.
 */
export class KafkaSink implements Sink {
  readonly #options: KafkaSinkOptions;
  readonly #context: SinkContext;
  #connect: Pick<ConstructorParameters<typeof Producer>[0], 'tls' | 'tlsServerName'> = {};
  #producer: MessageProducer | undefined;

  constructor(options: KafkaSinkOptions, context: SinkContext) {
    this.#options = options;
    this.#context = context;
  }

  async open(): Promise<void> {
    const { name, tls, bootstrap_servers } = this.#options;
    if (tls === undefined) return;
    // Servers that share an address are told apart by name; an address is no name.
    const isNamed = bootstrap_servers.every((server) => !/^([\d.]+|\[.*\]):\d+$/.test(server));
    this.#connect = { tls: await readTls(name, tls, this.#context), tlsServerName: isNamed };
  }

  async send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    this.#producer ??= this.#makeProducer();
    const producer = this.#producer;
    try {
      const messages = batch.records.map((record) => toMessage(record, this.#options));
      await unlessAborted(producer.send({ messages }), signal);
      return { kind: 'delivered' };
    } catch (error) {
      if (this.#producer === producer) this.#producer = undefined;
      // It may be in the middle of a request that nobody waits for any more.
      producer.close(true).catch(() => {});
      return error instanceof AbortedError ? judgeError(error) : judgeKafkaError(error);
    }
  }

  async close(): Promise<void> {
    await this.#producer?.close(true);
  }

  #makeProducer(): MessageProducer {
    const { client_id, bootstrap_servers, compression, concurrency, sasl, request_timeout } = this.#options;
    return new Producer({
      clientId: client_id,
      bootstrapBrokers: bootstrap_servers,
      // Of several requests under way, one that is numbered anew could pass for another, and be confirmed but not kept.
      idempotent: concurrency === 1,
      acks: ALL_IN_SYNC,
      compression,
      partitioner: compatibilityPartitioner,
      retries: CLIENT_RETRIES,
      retryDelay: CLIENT_RETRY_DELAY_MS,
      connectTimeout: CONNECT_MS_MAX,
      requestTimeout: request_timeout,
      timeout: request_timeout,
      ...(sasl && { sasl }),
      ...this.#connect,
    });
  }
}

type MessageProducer = Producer<Buffer, Buffer, Buffer, Buffer>;

/** As the protocol has it. */
const ALL_IN_SYNC = -1;
const ID_HEADER = Buffer.from('id');

function toMessage(record: OutgoingRecord, { topic, topics, key }: KafkaSinkOptions) {
  const value = record.original();
  const name = (value.log_type as string | undefined) ?? 'flow';
  const keyText = key === 'none' ? undefined : key === 'node' ? value.node_name : connectionKey(value);
  return {
    topic: Object.hasOwn(topics, name) ? topics[name]! : topic,
    ...(typeof keyText === 'string' && { key: Buffer.from(keyText) }),
    // A copy, for the client may still hold it when it was given up.
    value: Buffer.from(record.json),
    headers: new Map([[ID_HEADER, Buffer.from(String(value.id))]]),
  };
}

/** One key for all connections between two ends; a record that is no flow has none. */
function connectionKey({ connection }: Record<string, unknown>): string | undefined {
  if (connection === undefined) return undefined;
  const { src_ip, dest_ip, dest_port, protocol } = connection as Connection;
  return [src_ip, dest_ip, dest_port, protocol].join('|');
}

/** Waits for the work, but no longer than the signal lets it. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new AbortedError());
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
