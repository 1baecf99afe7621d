import { RecordBatch } from '../../../agent/delivery/batch.ts';
import { createSink } from '../../../sinks/index.ts';
import type { Batch, Outcome, OutgoingRecord, Sink } from '../../../sinks/sink.ts';
import type { Conformance, Destination } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { HttpFixture, type Reaction } from '../../sinks/http-fixture.ts';
import { flowRecord } from '../../sinks/records.ts';
import { versions } from '../cache.ts';
import type { Loki } from '../servers/loki.ts';

const FORWARD: Reaction = { kind: 'forward' };
/** Loki takes no longer lines by default. */
const LINE_BYTES_MAX = 256 << 10;
/** Records stand a millisecond apart: a query takes no more than 5,000 of them. */
const QUERY_MS = 4000;
const RECORDS_MAX = 60_000;

interface LokiDestination extends Destination {
  readonly tenant: string;
  /** The faults before the server. */
  readonly way: HttpFixture;
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
      const way = new HttpFixture();
      await way.start();
      way.upstream = loki().origin;
      way.react = () => FORWARD;
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
      accepts: () => {},
      'refuses one record': (destination) => {
        destination.tooLong = 'r123';
        return { refusedId: 'r123' };
      },
      'is too small for a batch': ({ way }) => {
        way.react = ({ body }) => (body.length > 20_000 ? { kind: 'answer', status: 413 } : FORWARD);
      },
      throttles: ({ tenant }) =>
        loki().limit(tenant, { ingestion_rate_mb: 0.2, ingestion_burst_size_mb: 0.2 }),
      'refuses credentials': ({ way }) => {
        way.react = first(2, { kind: 'answer', status: 401, body: 'no org id' });
      },
      stalls: ({ way }) => {
        way.react = first(2, { kind: 'stall' });
      },
      'resets mid-body': ({ way }) => {
        way.cutNext = 2;
        way.react = first(2, { kind: 'forward_then_reset' });
      },
      'answers garbage': ({ way }) => {
        let seen = 0;
        const kinds = ['garbage', 'torn_answer', 'forward_then_reset'] as const;
        way.react = () => (seen < kinds.length ? { kind: kinds[seen++]! } : FORWARD);
      },
      'outage, 50,000 records waiting': async () => {
        await loki().kill();
        return { end: () => loki().restart() };
      },
      'killed in mid-stream': ({ way }) => {
        let seen = 0;
        way.react = () => {
          if (++seen === 3)
            void loki()
              .kill()
              .then(() => loki().restart());
          return FORWARD;
        };
      },
      'agent killed in mid-stream': () => {},
    },
  };
}

/** Reacts so to the first requests, and hands on the rest. */
function first(count: number, reaction: Reaction): () => Reaction {
  let seen = 0;
  return () => (++seen <= count ? reaction : FORWARD);
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
