import { expect, onTestFinished, test } from 'vitest';
import { cloudwatchLogsSinkSchema } from '../../../agent/config/sinks/cloudwatch-logs.ts';
import {
  EVENT_OVERHEAD_BYTES,
  EVENTS_MAX,
  REQUEST_BYTES_MAX,
} from '../../../sinks/cloudwatch-logs/event-parts.ts';
import { createSink } from '../../../sinks/index.ts';
import {
  ACCESS_KEY_ID,
  CloudwatchLogsFixture,
  REGION,
  SECRET_ACCESS_KEY,
} from '../../sinks/aws/cloudwatch-logs-fixture.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { batchOfRecords } from '../../sinks/outgoing.ts';
import { flowRecord } from '../../sinks/records.ts';
import { built, versions } from '../cache.ts';
import { ApiModel } from './api-model.ts';

const model = new ApiModel(built(`botocore-${versions.BOTOCORE}/logs.json`));
const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

test('requests and answers, those of the fixture too, have the shape of the published API', async () => {
  const service = new CloudwatchLogsFixture();
  await service.start();
  onTestFinished(() => service.kill());
  service.check = (operation, input) => model.checkInput(operation, input);
  const problems: string[] = [];
  service.react = (request) => {
    const reaction = service.serve(request);
    const operation = service.operations.at(-1)!;
    if (reaction.kind !== 'answer') return reaction;
    const body = JSON.parse(String(reaction.body));
    if (reaction.status < 300) problems.push(...model.checkOutput(operation, body));
    else if (!model.errors(operation).includes(body.__type)) problems.push(`${operation}: ${body.__type}`);
    return reaction;
  };
  const config = configure({
    type: 'cloudwatch_logs',
    group_name: '/flows/prod',
    stream_name: 'node-1.eu/x',
    create_missing_group: true,
    retention_in_days: 30,
    region: REGION,
    endpoint: service.origin,
    access_key_id: ACCESS_KEY_ID,
    secret_access_key: SECRET_ACCESS_KEY,
  });
  const sink = await createSink(config, { warn() {}, stop() {} });
  await sink.open?.();
  onTestFinished(() => sink.close());
  const at = (id: string, hours: number) => ({
    ...flowRecord(1),
    id,
    timestamp: new Date(service.nowMs + hours * HOUR_MS).toISOString(),
  });
  const records = [at('now', 0), at('old', -15 * 24), at('yesterday', -25), at('future', 3)];
  expect(await sink.send(batchOfRecords(records), never)).toMatchObject({
    kind: 'delivered',
    refused: [{ index: 1 }, { index: 3 }],
  });
  expect(problems).toEqual([]);
  expect(new Set(service.operations)).toEqual(
    new Set(['PutLogEvents', 'CreateLogStream', 'CreateLogGroup', 'PutRetentionPolicy']),
  );
});

test('the check notices what does not belong', () => {
  const event = { timestamp: 1.5, message: '', more: 1 };
  expect(model.checkInput('PutLogEvents', { logGroupName: 'a b', logEvents: [event] })).toEqual([
    'PutLogEvents.logStreamName is missing',
    'PutLogEvents.logGroupName does not match [\\.\\-_/#A-Za-z0-9]+',
    'PutLogEvents.logEvents[0].timestamp is no whole number',
    'PutLogEvents.logEvents[0].message is below 1',
    'PutLogEvents.logEvents[0].more is unknown',
  ]);
});

test('the protocol and the limits are those of the published API', () => {
  expect(model.metadata).toMatchObject({
    endpointPrefix: 'logs',
    jsonVersion: '1.1',
    targetPrefix: 'Logs_20140328',
    signatureVersion: 'v4',
  });
  expect(model.shape('InputLogEvents').max).toBe(EVENTS_MAX);
  const { documentation } = model.operation('PutLogEvents');
  for (const said of [
    `maximum batch size is ${REQUEST_BYTES_MAX.toLocaleString('en')} bytes`,
    `plus ${EVENT_OVERHEAD_BYTES} bytes for each log event`,
    'log event can be no larger than 1 MB',
    'single batch cannot exceed 24 hours',
    'more than 2 hours in the future are rejected',
    'older than 14 days',
  ]) {
    expect(documentation).toContain(said);
  }
});

test('a retention is what the API takes', () => {
  const days = /Possible values are: ([^.]*)\./.exec(model.shape('Days').documentation!)![1]!;
  const { retention_in_days: retention } = cloudwatchLogsSinkSchema.shape;
  expect([...retention.def.innerType.def.values]).toEqual(days.match(/\d+/g)!.map(Number));
});
