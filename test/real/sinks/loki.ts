import { RecordBatch } from '../../../agent/delivery/batch.ts';
import { createSink } from '../../../sinks/index.ts';
import type { Batch, Outcome, OutgoingRecord, Sink } from '../../../sinks/sink.ts';
import type { Conformance, Destination } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { flowRecord } from '../../sinks/records.ts';
import { versions } from '../cache.ts';
import type { Loki } from '../servers/loki.ts';
import { FAULTS_ON_THE_WAY, killAt, type OnTheWay, outage, wayTo } from './way.ts';

/** Loki takes no longer lines by default. */
const LINE_BYTES_MAX = 256 << 10;
/** Records stand a millisecond apart: a query takes no more than 5,000 of them. */
const QUERY_MS = 4000;
const RECORDS_MAX = 60_000;

interface LokiDestination extends Destination, OnTheWay {
  readonly tenant: string;
  /** A record that is too long for Loki on its way there. */
  tooLong?: string;
}

/** A tenant of its own on a real Loki, for each behaviour. */
export function lokiConformance(loki: () => Loki): Conformance<LokiDestination> {
  let tenants = 0;
  return {
    name: 'loki',
    destination: `Loki ${versions.LOKI}`,
    guarantee: 'exactly once',
    async create() {
      const way = await wayTo(loki().origin);
      const tenant = `tenant-${++tenants}`;
      const config = configure({
        type: 'loki',
        url: way.origin,
        tenant_id: tenant,
        request_timeout: '2s',
        retry: { backoff_min: '10ms', backoff_max: '100ms' },
        batch: { records_max: 100, age_max: '0ms' },
      });
      const destination: LokiDestination = {
        tenant,
        way,
        config,
        createSink: async (context) =>
          new LengtheningSink(await createSink(config, context), () => destination.tooLong),
        received: () => receivedIds(loki(), tenant),
        close: () => way.kill(),
      };
      return destination;
    },
    faults: {
      ...FAULTS_ON_THE_WAY,
      accepts: () => {},
      'refuses one record': (destination) => {
        destination.tooLong = 'r123';
        return { refusedId: 'r123' };
      },
      throttles: ({ tenant }) =>
        loki().limit(tenant, { ingestion_rate_mb: 0.2, ingestion_burst_size_mb: 0.2 }),
      'outage, 50,000 records waiting': () => outage(loki()),
      'killed in mid-stream': ({ way }) => killAt(3, way, loki()),
      'agent killed in mid-stream': () => {},
    },
  };
}

/** Ids as queries find them, repeats included. */
async function receivedIds(loki: Loki, tenant: string): Promise<string[]> {
  const startMs = Date.parse(flowRecord(0).timestamp);
  const ids: string[] = [];
  for (let at = startMs; at <= startMs + RECORDS_MAX; at += QUERY_MS) {
    const found = await loki.query(tenant, '{job="policy-log-agent"}', at, at + QUERY_MS);
    ids.push(...found.map(({ line }) => JSON.parse(line).id));
  }
  return ids;
}

/** Before a sink: makes one record longer than any input makes one. */
class LengtheningSink implements Sink {
  readonly #sink: Sink;
  readonly #id: () => string | undefined;

  constructor(sink: Sink, id: () => string | undefined) {
    this.#sink = sink;
    this.#id = id;
  }

  async open(): Promise<void> {
    await this.#sink.open?.();
  }

  send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const records = batch.records.map((record) =>
      record.original().id === this.#id() ? lengthen(record) : record,
    );
    return this.#sink.send(RecordBatch.of(records), signal);
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}

function lengthen(record: OutgoingRecord): OutgoingRecord {
  const padding = 'x'.repeat(LINE_BYTES_MAX);
  const line = Buffer.from(`${JSON.stringify({ ...record.original(), padding })}\n`);
  return {
    json: line.subarray(0, -1),
    value: () => record.value(),
    originalJson: record.originalJson,
    original: () => record.original(),
  };
}
