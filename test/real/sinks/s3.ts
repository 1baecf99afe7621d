import type { Conformance, Destination } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { HttpFixture, type Reaction } from '../../sinks/http-fixture.ts';
import { versions } from '../cache.ts';
import type { Minio } from '../servers/minio.ts';

const FORWARD: Reaction = { kind: 'forward' };

interface S3Destination extends Destination {
  /** The faults before the server. */
  readonly way: HttpFixture;
}

/** A bucket of its own on a real MinIO, for each behaviour. */
export function s3Conformance(minio: () => Minio): Conformance<S3Destination> {
  let buckets = 0;
  return {
    name: 's3',
    destination: `MinIO ${/\d{8}/.exec(versions.MINIO!)?.[0]}`,
    guarantee: 'exactly once',
    async create() {
      const server = minio();
      const bucket = `flows-${++buckets}`;
      await server.createBucket(bucket);
      const way = new HttpFixture();
      await way.start();
      way.upstream = server.origin;
      way.react = () => FORWARD;
      return {
        way,
        config: configure({
          type: 's3',
          bucket,
          region: server.region,
          endpoint: way.origin,
          access_key_id: server.accessKeyId,
          secret_access_key: server.secretAccessKey,
          request_timeout: '2s',
          retry: { backoff_min: '10ms', backoff_max: '100ms' },
          batch: { records_max: 250, age_max: '10s' },
        }),
        received: async () => (await server.lines(bucket)).map((line) => JSON.parse(line).id),
        close: () => way.kill(),
      };
    },
    faults: {
      accepts: () => {},
      'refuses one record': { never: 'a store does not look into objects' },
      'is too small for a batch': ({ way }) => {
        way.react = ({ bytes }) => (bytes.length > 4000 ? { kind: 'answer', status: 413 } : FORWARD);
      },
      throttles: ({ way }) => {
        const body =
          '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';
        way.react = first(3, { kind: 'answer', status: 503, body });
      },
      'refuses credentials': ({ way }) => {
        const body =
          '<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>';
        way.react = first(2, { kind: 'answer', status: 400, body });
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
        await minio().kill();
        return { end: () => minio().restart() };
      },
      'killed in mid-stream': ({ way }) => {
        let seen = 0;
        way.react = () => {
          if (++seen === 3) void restart(minio());
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

async function restart(minio: Minio): Promise<void> {
  await minio.kill();
  await minio.restart();
}
