import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { SyslogSinkOptions } from '../agent/config/sinks/syslog.ts';
import { judgeError } from './http-outcome.ts';
import type { Batch, Outcome, OutgoingRecord, Refusal, Retry, Sink, SinkContext } from './sink.ts';
import { messageFormat } from './syslog/message.ts';
import { sendDatagrams } from './syslog/send-datagrams.ts';
import { sendStream } from './syslog/send-stream.ts';
import { readTls } from './tls.ts';

/**
 * Records as syslog messages: RFC 5424, over TCP and TLS with their lengths before them, or over UDP.
 *
 * - Over TCP and TLS a batch has a connection of its own and is delivered when the server has read it to its end; any
 *   other end of the connection sends all of it again. What the server then does with it is not known.
 * - Over UDP a batch is delivered when the kernel took it.
 * - A message longer than the server takes would be cut or split there, so its record is refused.
 */
export class SyslogSink implements Sink {
  readonly #options: SyslogSinkOptions;
  readonly #context: SinkContext;
  readonly #format: (record: OutgoingRecord) => Buffer;
  readonly #port: number;
  readonly #bytesMax: number;
  #tls: ConnectionOptions = {};

  constructor(options: SyslogSinkOptions, context: SinkContext) {
    this.#options = options;
    this.#context = context;
    this.#format = messageFormat(options);
    this.#port = options.port ?? (options.transport === 'tls' ? TLS_PORT : PORT);
    const { transport, message_bytes_max } = options;
    this.#bytesMax =
      transport === 'udp' ? Math.min(message_bytes_max, DATAGRAM_BYTES_MAX) : message_bytes_max;
  }

  async open(): Promise<void> {
    const { name, transport, tls } = this.#options;
    if (transport === 'tls') this.#tls = await readTls(name, tls, this.#context);
  }

  async send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const refused: Refusal[] = [];
    const messages: Buffer[] = [];
    const bytesMax = this.#bytesMax;
    for (const [index, record] of batch.records.entries()) {
      const message = this.#format(record);
      if (message.length <= bytesMax) messages.push(message);
      else
        refused.push({
          index,
          reason: `message of ${message.length} bytes; at most ${bytesMax} are sent`,
        });
    }
    try {
      if (messages.length > 0) await this.#sendAll(messages, signal);
      return { kind: 'delivered', refused };
    } catch (error) {
      return judge(error);
    }
  }

  async close(): Promise<void> {}

  #sendAll(messages: readonly Buffer[], signal: AbortSignal): Promise<void> {
    const { host, transport } = this.#options;
    const port = this.#port;
    switch (transport) {
      case 'udp':
        return sendDatagrams(host, port, messages, signal);
      case 'tcp':
        return sendStream(host, port, undefined, messages, signal);
      case 'tls': {
        const tls = { ...this.#tls, host, ...(isIP(host) === 0 && { servername: host }) };
        return sendStream(host, port, tls, messages, signal);
      }
    }
  }
}

const PORT = 514;
const TLS_PORT = 6514;
/** Most that an IPv4 packet has room for. */
const DATAGRAM_BYTES_MAX = 65_507;

/** Alerts with which a server refuses the client's certificate, or the lack of one. */
const REFUSED_CERTIFICATE =
  /ALERT_(BAD_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/;

function judge(error: unknown): Retry {
  const { code = '', reason } = error as NodeJS.ErrnoException & { reason?: string };
  return REFUSED_CERTIFICATE.test(code)
    ? { kind: 'retry', cause: 'unauthorized', reason: `the server refuses our certificate: ${reason}` }
    : judgeError(error);
}
