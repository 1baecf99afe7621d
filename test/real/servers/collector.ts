import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { KeyValue, LogRecord, LogsRequest } from '../../../sinks/otlp/logs.ts';
import { type Certificates, makeCertificates } from '../../helpers/certificates.ts';
import { freePort } from '../../helpers/free-port.ts';
import { built, versions } from '../cache.ts';
import { accepts, answers, ServerProcess } from './server-process.ts';

/** A log record as it arrived, with its resource. */
export interface ArrivedRecord extends LogRecord {
  readonly resource: readonly KeyValue[];
}

/** More than any test sends: all is in one file. */
const FILE_MEGABYTES_MAX = 10_000;

/** A real OpenTelemetry Collector that writes what it gets to a file. */
export class Collector extends ServerProcess {
  /** Takes logs of anybody. */
  readonly origin: string;
  /** Takes logs of those who have the token, by TLS. */
  readonly tlsOrigin: string;
  readonly token = 'a-token';
  readonly #tlsPort: number;
  readonly #certificates: Certificates;

  private constructor(port: number, tlsPort: number) {
    super('otelcol');
    this.origin = `http://127.0.0.1:${port}`;
    this.tlsOrigin = `https://127.0.0.1:${tlsPort}`;
    this.#tlsPort = tlsPort;
    this.#certificates = makeCertificates(this.folder, ['server']);
    writeFileSync(this.at('otelcol.json'), JSON.stringify(this.#configuration(port, tlsPort)));
  }

  static async start(): Promise<Collector> {
    return new Collector(await freePort(), await freePort()).started();
  }

  /** The authority of the certificate that it shows. */
  get caFile(): string {
    return this.#certificates.ca;
  }

  /** What it has taken: it writes each request before it answers. */
  written(): ArrivedRecord[] {
    const path = this.at('logs.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    return lines.flatMap((line) =>
      (JSON.parse(line) as LogsRequest).resourceLogs.flatMap(({ resource, scopeLogs }) =>
        scopeLogs[0].logRecords.map((record) => ({ ...record, resource: resource.attributes })),
      ),
    );
  }

  protected command(): readonly string[] {
    return [built(`otelcol-${versions.OTELCOL}/otelcol`), '--config', `file:${this.at('otelcol.json')}`];
  }

  protected async isReady(): Promise<boolean> {
    // It takes nothing but POST there. Which of its two ports comes first is left to chance.
    return (await answers(`${this.origin}/v1/logs`, 405)) && (await accepts(this.#tlsPort));
  }

  /** The Collector reads JSON, for it is YAML. */
  #configuration(port: number, tlsPort: number) {
    const tls = { cert_file: this.#certificates.cert('server'), key_file: this.#certificates.key('server') };
    const auth = { authenticator: 'bearertokenauth' };
    return {
      extensions: { bearertokenauth: { token: this.token } },
      receivers: {
        otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } },
        'otlp/tls': { protocols: { http: { endpoint: `127.0.0.1:${tlsPort}`, auth, tls } } },
      },
      // Without rotation it keeps what it has confirmed in memory for a while, and loses it when it is killed.
      exporters: { file: { path: this.at('logs.jsonl'), rotation: { max_megabytes: FILE_MEGABYTES_MAX } } },
      service: {
        extensions: ['bearertokenauth'],
        telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
        pipelines: { logs: { receivers: ['otlp', 'otlp/tls'], exporters: ['file'] } },
      },
    };
  }
}
