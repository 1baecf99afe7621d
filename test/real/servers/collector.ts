import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyValue, LogRecord, LogsRequest } from '../../../sinks/otlp/logs.ts';
import { freePort } from '../../helpers/free-port.ts';
import { built, versions } from '../cache.ts';
import { ServerProcess } from './server-process.ts';

/** A log record as it arrived, with its resource. */
export interface ArrivedRecord extends LogRecord {
  readonly resource: readonly KeyValue[];
}

/** A real OpenTelemetry Collector that writes what it gets to a file. */
export class Collector {
  /** Takes logs of anybody. */
  readonly origin: string;
  /** Takes logs of those who have the token, by TLS. */
  readonly tlsOrigin: string;
  readonly token = 'a-token';
  readonly #folder: string;
  readonly #process: ServerProcess;

  private constructor(port: number, tlsPort: number) {
    this.origin = `http://127.0.0.1:${port}`;
    this.tlsOrigin = `https://127.0.0.1:${tlsPort}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'otelcol-'));
    execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...['-subj', '/CN=collector', '-addext', 'subjectAltName=IP:127.0.0.1'],
        ...['-keyout', this.#path('server.key'), '-out', this.caFile],
      ],
      { stdio: 'pipe' },
    );
    const configFile = this.#path('otelcol.json');
    writeFileSync(configFile, JSON.stringify(this.#configuration(port, tlsPort)));
    this.#process = new ServerProcess({
      command: built(`otelcol-${versions.OTELCOL}/otelcol`),
      args: ['--config', `file:${configFile}`],
      folder: this.#folder,
      healthUrl: `${this.origin}/v1/logs`,
      // It takes nothing but POST there.
      healthStatus: 405,
    });
  }

  static async start(): Promise<Collector> {
    const collector = new Collector(await freePort(), await freePort());
    await collector.restart();
    return collector;
  }

  /** The certificate that it shows. */
  get caFile(): string {
    return this.#path('server.crt');
  }

  restart(): Promise<void> {
    return this.#process.start();
  }

  /** Kills it, and with it what it has taken and not written yet. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Ends it in an orderly way, so that it writes what it has, and reads that. */
  async finish(): Promise<ArrivedRecord[]> {
    await this.#process.stop();
    return this.written();
  }

  /** What it has written up to now. */
  written(): ArrivedRecord[] {
    const path = this.#path('logs.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    return lines.flatMap((line) =>
      (JSON.parse(line) as LogsRequest).resourceLogs.flatMap(({ resource, scopeLogs }) =>
        scopeLogs[0].logRecords.map((record) => ({ ...record, resource: resource.attributes })),
      ),
    );
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  /** The Collector reads JSON, for it is YAML. */
  #configuration(port: number, tlsPort: number) {
    const tls = { cert_file: this.caFile, key_file: this.#path('server.key') };
    const auth = { authenticator: 'bearertokenauth' };
    return {
      extensions: { bearertokenauth: { token: this.token } },
      receivers: {
        otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } },
        'otlp/tls': { protocols: { http: { endpoint: `127.0.0.1:${tlsPort}`, auth, tls } } },
      },
      exporters: { file: { path: this.#path('logs.jsonl'), append: true, flush_interval: '50ms' } },
      service: {
        extensions: ['bearertokenauth'],
        telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
        pipelines: { logs: { receivers: ['otlp', 'otlp/tls'], exporters: ['file'] } },
      },
    };
  }
}
