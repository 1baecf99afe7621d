import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../helpers/free-port.ts';
import { built, versions } from '../cache.ts';
import { answers, ServerProcess } from './server-process.ts';

/** An entry as a query gives it. */
export interface FoundEntry {
  readonly nanos: string;
  readonly line: string;
  /** Labels and structured metadata together. */
  readonly labels: Record<string, string>;
}

const OVERRIDES_EVERY_MS = 100;
const OVERRIDES_MS_MAX = 10_000;

/** A real Loki with tenants, on one disk. */
export class Loki extends ServerProcess {
  readonly origin: string;

  private constructor(port: number, grpcPort: number) {
    super('loki');
    this.origin = `http://127.0.0.1:${port}`;
    writeFileSync(this.at('loki.json'), JSON.stringify(configuration(this.folder, port, grpcPort)));
    this.#writeOverrides({});
  }

  static async start(): Promise<Loki> {
    return new Loki(await freePort(), await freePort()).started();
  }

  /** Gives one tenant limits of its own, and takes those of others; resolves when they are in force. */
  async limit(tenant: string, limits: Record<string, unknown>): Promise<void> {
    const before = await this.#overridesHash();
    this.#writeOverrides({ [tenant]: limits });
    const deadline = Date.now() + OVERRIDES_MS_MAX;
    while ((await this.#overridesHash()) === before) {
      if (Date.now() > deadline) throw new Error(`Loki does not take ${JSON.stringify(limits)}`);
      await pause(OVERRIDES_EVERY_MS);
    }
  }

  /** What a LogQL query finds between two times, oldest first; at most 5,000 entries. */
  async query(tenant: string, query: string, fromMs: number, toMs: number): Promise<FoundEntry[]> {
    const parameters = new URLSearchParams({
      query,
      start: `${fromMs}000000`,
      end: `${toMs}000000`,
      limit: '5000',
      direction: 'forward',
    });
    const answer = await fetch(`${this.origin}/loki/api/v1/query_range?${parameters}`, {
      headers: { 'x-scope-orgid': tenant },
    });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    const { data } = (await answer.json()) as QueryAnswer;
    return data.result.flatMap(({ stream, values }) =>
      values.map(([nanos, line]) => ({ nanos, line, labels: stream })),
    );
  }

  protected command(): readonly string[] {
    return [built(`loki-${versions.LOKI}/loki`), `-config.file=${this.at('loki.json')}`, '-target=all'];
  }

  protected isReady(): Promise<boolean> {
    return answers(`${this.origin}/ready`);
  }

  async #overridesHash(): Promise<string | undefined> {
    const answer = await fetch(`${this.origin}/metrics`);
    return /^loki_runtime_config_hash\{.*$/m.exec(await answer.text())?.[0];
  }

  #writeOverrides(overrides: Record<string, Record<string, unknown>>): void {
    writeFileSync(this.at('overrides.json'), JSON.stringify({ overrides }));
  }
}

interface QueryAnswer {
  readonly data: {
    readonly result: readonly {
      readonly stream: Record<string, string>;
      readonly values: readonly [nanos: string, line: string][];
    }[];
  };
}

/** Loki reads JSON, for it is YAML. */
function configuration(folder: string, port: number, grpcPort: number) {
  return {
    auth_enabled: true,
    server: {
      http_listen_address: '127.0.0.1',
      http_listen_port: port,
      grpc_listen_address: '127.0.0.1',
      grpc_listen_port: grpcPort,
      log_level: 'warn',
    },
    common: {
      instance_addr: '127.0.0.1',
      path_prefix: folder,
      storage: {
        filesystem: { chunks_directory: join(folder, 'chunks'), rules_directory: join(folder, 'rules') },
      },
      replication_factor: 1,
      ring: { kvstore: { store: 'inmemory' } },
    },
    ingester: {
      lifecycler: { min_ready_duration: '0s', final_sleep: '0s' },
      // The tests' records are older than what is looked for in memory by default.
      query_store_max_look_back_period: '-1ns',
    },
    schema_config: {
      configs: [
        {
          from: '2024-01-01',
          store: 'tsdb',
          object_store: 'filesystem',
          schema: 'v13',
          index: { prefix: 'index_', period: '24h' },
        },
      ],
    },
    limits_config: { reject_old_samples: false },
    analytics: { reporting_enabled: false },
    runtime_config: { file: join(folder, 'overrides.json'), period: `${OVERRIDES_EVERY_MS}ms` },
  };
}
