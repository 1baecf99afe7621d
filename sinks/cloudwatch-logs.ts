import type { CloudwatchLogsSinkOptions } from '../agent/config/sinks/cloudwatch-logs.ts';
import { judgeAwsError } from './aws/aws-client.ts';
import { awsHost } from './aws/aws-host.ts';
import { createStream } from './cloudwatch-logs/create-stream.ts';
import { type EventPart, eventParts } from './cloudwatch-logs/event-parts.ts';
import { errorCode, judgePutLogEvents, judgeSettings } from './cloudwatch-logs/judge.ts';
import { LogsApi } from './cloudwatch-logs/logs-api.ts';
import { sendParts } from './parts.ts';
import type { Batch, Outcome, Sink, SinkContext } from './sink.ts';

/**
 * Records as events of one log stream in Amazon CloudWatch Logs, at their own times.
 *
 * A batch goes into as many requests as the service's limits need, as a rule one. A stream, or a group, that is not
 * there is created where the configuration asks for it, and the request that missed it made again. CloudWatch Logs
 * cannot tell a repeated request, so a record arrives at least once; its `id` is the same every time.
 */
export class CloudwatchLogsSink implements Sink {
  readonly #options: CloudwatchLogsSinkOptions;
  readonly #context: SinkContext;
  #api: LogsApi | undefined;

  constructor(options: CloudwatchLogsSinkOptions, context: SinkContext) {
    this.#options = options;
    this.#context = context;
  }

  async open(): Promise<void> {
    const { endpoint, region } = this.#options;
    const url = endpoint ?? `https://${awsHost('logs', region)}/`;
    this.#api = await LogsApi.open({ ...this.#options, url }, this.#context);
  }

  async send(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const { parts, refused } = eventParts(batch.records, Date.now());
    const outcome = await sendParts(parts, (part) => this.#put(part, signal));
    if (outcome.kind !== 'delivered' || refused.length === 0) return outcome;
    return { ...outcome, refused: [...refused, ...(outcome.refused ?? [])] };
  }

  async close(): Promise<void> {
    this.#api?.close();
  }

  async #put({ events }: EventPart, signal: AbortSignal): Promise<Outcome> {
    const {
      group_name: logGroupName,
      stream_name: logStreamName,
      create_missing_stream: mayCreate,
    } = this.#options;
    const api = this.#api!;
    try {
      const put = () => api.call('PutLogEvents', { logGroupName, logStreamName, logEvents: events }, signal);
      let answer = await put();
      if (mayCreate && errorCode(answer) === 'ResourceNotFoundException') {
        const warn = (message: string) => this.#context.warn(message);
        const trouble = await createStream(api, this.#options, warn, signal);
        if (trouble) return judgeSettings(trouble, Date.now());
        answer = await put();
      }
      return judgePutLogEvents(answer, events.length, Date.now());
    } catch (error) {
      return judgeAwsError(error);
    }
  }
}
