import {
  ACCESS_KEY_ID,
  CloudwatchLogsFixture,
  REGION,
  SECRET_ACCESS_KEY,
} from '../aws/cloudwatch-logs-fixture.ts';
import type { Conformance, Destination } from '../conformance.ts';
import type { Reaction } from '../http-fixture.ts';
import { flowRecord } from '../records.ts';
import { configure } from './common.ts';

/** Older events are not taken. */
const OLD_MS_MAX = 14 * 86_400_000;
const GROUP = '/flows/prod';
const STREAM = 'node-1';

export const cloudwatchLogs: Conformance<Destination & { service: CloudwatchLogsFixture }> = {
  name: 'cloudwatch_logs',
  destination: 'fixture',
  guarantee: 'at least once',
  async create() {
    const service = new CloudwatchLogsFixture();
    service.nowMs = Date.parse(flowRecord(0).timestamp);
    await service.start();
    return {
      service,
      config: configure({
        type: 'cloudwatch_logs',
        group_name: GROUP,
        stream_name: STREAM,
        create_missing_group: true,
        retention_in_days: 30,
        region: REGION,
        endpoint: service.origin,
        access_key_id: ACCESS_KEY_ID,
        secret_access_key: SECRET_ACCESS_KEY,
        request_timeout: '500ms',
        retry: { backoff_min: '10ms', backoff_max: '100ms' },
        batch: { records_max: 100, age_max: '0ms' },
      }),
      received: () => service.events(GROUP, STREAM).map(({ message }) => JSON.parse(message).id),
      close: () => service.kill(),
    };
  },
  faults: {
    accepts: () => {},
    'refuses one record': ({ service }) => {
      // All but the first record are just young enough.
      service.nowMs = Date.parse(flowRecord(2).timestamp) + OLD_MS_MAX;
      return { refusedId: 'r1' };
    },
    'is too small for a batch': ({ service }) => {
      service.react = (request) =>
        request.body.length > 20_000 ? { kind: 'answer', status: 413 } : service.serve(request);
    },
    throttles: ({ service }) => {
      service.failures.push('ThrottlingException', 'ServiceUnavailableException', 'ThrottlingException');
    },
    'refuses credentials': ({ service }) => {
      service.failures.push('ExpiredTokenException', 'UnrecognizedClientException');
    },
    stalls: ({ service }) => first(service, [{ kind: 'stall' }, { kind: 'stall' }]),
    'resets mid-body': ({ service }) => {
      service.cutNext = 2;
      first(service, [{ kind: 'reset_after_body' }, { kind: 'reset_after_body' }]);
    },
    'answers garbage': ({ service }) => {
      const page = { kind: 'answer', status: 200, body: '<html>please log in</html>' } as const;
      first(service, [{ kind: 'garbage' }, { kind: 'torn_answer' }, page]);
    },
    'outage, 50,000 records waiting': ({ service }) => {
      const down = service.kill();
      return {
        end: async () => {
          await down;
          await service.start();
        },
      };
    },
    'killed in mid-stream': ({ service }) => {
      let seen = 0;
      service.react = (request) => {
        if (++seen !== 3) return service.serve(request);
        void service.kill().then(() => service.start());
        return { kind: 'stall' };
      };
    },
    'agent killed in mid-stream': () => {},
  },
};

/** Reacts so to the first requests, and serves the rest. */
function first(service: CloudwatchLogsFixture, reactions: readonly Reaction[]): void {
  const rest = [...reactions];
  service.react = (request) => rest.shift() ?? service.serve(request);
}
