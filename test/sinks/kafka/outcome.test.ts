import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  ProtocolError,
  TimeoutError,
} from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { judgeKafkaError } from '../../../sinks/kafka/outcome.ts';

const inner = (id: string) =>
  new MultipleErrors('Producing failed.', [new Error('x'), new ProtocolError(id)]);

test.each([
  ['MESSAGE_TOO_LARGE', 'too_large', undefined],
  ['RECORD_LIST_TOO_LARGE', 'too_large', undefined],
  ['INVALID_RECORD', 'rejected', undefined],
  ['INVALID_TIMESTAMP', 'rejected', undefined],
  ['TOPIC_AUTHORIZATION_FAILED', 'retry', 'unauthorized'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'retry', 'unauthorized'],
  ['SASL_AUTHENTICATION_FAILED', 'retry', 'unauthorized'],
  ['NOT_ENOUGH_REPLICAS', 'retry', 'busy'],
  ['THROTTLING_QUOTA_EXCEEDED', 'retry', 'busy'],
  ['NOT_LEADER_OR_FOLLOWER', 'retry', 'network'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 'retry', 'network'],
  ['CORRUPT_MESSAGE', 'retry', 'network'],
])('%s: %s %s', (id, kind, cause) => {
  const outcome = judgeKafkaError(new MultipleErrors('produce failed 4 times.', [inner(id)]));
  expect(outcome).toMatchObject({ kind, reason: expect.stringMatching(new RegExp(`^${id}: `)) });
  expect((outcome as { cause?: string }).cause).toBe(cause);
});

test.each([
  ['a refused login', new AuthenticationError('SASL authentication failed.'), 'unauthorized'],
  [
    'a login that broke off',
    new NetworkError('no', { cause: new AuthenticationError('refused') }),
    'unauthorized',
  ],
  ['a timeout', new TimeoutError('Request timed out.'), 'network'],
  ['a connection that broke', new NetworkError('Connection closed'), 'network'],
  ['anything else', new TypeError('x'.repeat(1000)), 'network'],
])('%s', (_, error, cause) => {
  const outcome = judgeKafkaError(error);
  expect(outcome).toMatchObject({ kind: 'retry', cause });
  expect(outcome.reason.length).toBeLessThanOrEqual(300);
});
