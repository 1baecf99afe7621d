import type { Conformance, Destination } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { versions } from '../cache.ts';
import type { Minio } from '../servers/minio.ts';
import { FAULTS_ON_THE_WAY, FORWARD, first, killAt, type OnTheWay, outage, wayTo } from './way.ts';

/** A bucket of its own on a real MinIO, for each behaviour. */
export function s3Conformance(minio: () => Minio): Conformance<Destination & OnTheWay> {
  let buckets = 0;
  return {
    name: 's3',
    destination: `MinIO ${/\d{8}/.exec(versions.MINIO!)?.[0]}`,
    guarantee: 'exactly once',
    async create() {
      const server = minio();
      const bucket = `flows-${++buckets}`;
      await server.createBucket(bucket);
      const way = await wayTo(server.origin);
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
      ...FAULTS_ON_THE_WAY,
      accepts: () => {},
      'refuses one record': { never: 'a store does not look into objects' },
      'is too small for a batch': ({ way }) => {
        way.react = ({ bytes }) => (bytes.length > 4000 ? { kind: 'answer', status: 413 } : FORWARD);
      },
      throttles: ({ way }) => {
        const body =
          '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';
        const slow = { kind: 'answer', status: 503, body } as const;
        way.react = first([slow, slow, slow]);
      },
      'refuses credentials': ({ way }) => {
        const body =
          '<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>';
        const expired = { kind: 'answer', status: 400, body } as const;
        way.react = first([expired, expired]);
      },
      'outage, 50,000 records waiting': () => outage(minio()),
      'killed in mid-stream': ({ way }) => killAt(3, way, minio()),
      'agent killed in mid-stream': () => {},
    },
  };
}
