import type { Conformance, Destination } from '../conformance.ts';
import { GoogleCloud, WRITE_PATH } from '../google-cloud-logging/cloud.ts';
import type { Reaction, ReceivedRequest } from '../http-fixture.ts';
import { configure } from './common.ts';

interface CloudDestination extends Destination {
  readonly cloud: GoogleCloud;
}

const isWrite = ({ path }: ReceivedRequest) => path === WRITE_PATH;

export const googleCloudLogging: Conformance<CloudDestination> = {
  name: 'google_cloud_logging',
  destination: 'fixture that checks requests against the published messages',
  guarantee: 'exactly once',
  async create() {
    const cloud = new GoogleCloud();
    await cloud.server.start();
    return {
      cloud,
      config: configure({
        type: 'google_cloud_logging',
        url: cloud.server.origin,
        metadata_url: cloud.server.origin,
        request_timeout: '500ms',
        retry: { backoff_min: '10ms', backoff_max: '100ms' },
        batch: { records_max: 100, age_max: '0ms' },
      }),
      received: () => cloud.entries.map(({ insertId }) => insertId),
      close: () => cloud.server.kill(),
    };
  },
  faults: {
    accepts: () => {},
    'refuses one record': ({ cloud }) => {
      cloud.judge = ({ insertId }) => (insertId === 'r123' ? { code: 3, message: 'r123 is bad' } : undefined);
      return { refusedId: 'r123' };
    },
    'is too small for a batch': ({ cloud }) => {
      cloud.fault = (request) =>
        isWrite(request) && request.bytes.length > 20_000 ? answer(413) : undefined;
    },
    throttles: ({ cloud }) => {
      cloud.fault = first(3, { ...answer(429), headers: { 'retry-after': '1' } });
    },
    'refuses credentials': ({ cloud }) => {
      let seen = 0;
      cloud.fault = (request) => {
        if (isWrite(request) && [2, 3, 6].includes(++seen)) cloud.revokeTokens();
        return undefined;
      };
    },
    stalls: ({ cloud }) => {
      cloud.fault = first(2, { kind: 'stall' });
    },
    'resets mid-body': ({ cloud }) => {
      cloud.server.cutNext = 2;
      cloud.loseNext = 2;
    },
    'answers garbage': ({ cloud }) => {
      let seen = 0;
      const kinds = ['garbage', 'torn_answer', 'reset_after_body'] as const;
      cloud.fault = (request) => {
        const kind = isWrite(request) ? kinds[seen++] : undefined;
        return kind && { kind };
      };
    },
    'outage, 50,000 records waiting': ({ cloud }) => {
      const down = cloud.server.kill();
      return {
        end: async () => {
          await down;
          await cloud.server.start();
        },
      };
    },
    'killed in mid-stream': ({ cloud }) => {
      let seen = 0;
      cloud.fault = (request) => {
        if (!isWrite(request) || ++seen !== 3) return undefined;
        void cloud.server.kill().then(() => cloud.server.start());
        return { kind: 'stall' };
      };
    },
    'agent killed in mid-stream': () => {},
  },
};

function answer(status: number) {
  return { kind: 'answer', status } as const;
}

/** Reacts so to the first writes, and leaves the rest to the service. */
function first(count: number, reaction: Reaction): (request: ReceivedRequest) => Reaction | undefined {
  let seen = 0;
  return (request) => (isWrite(request) && ++seen <= count ? reaction : undefined);
}
