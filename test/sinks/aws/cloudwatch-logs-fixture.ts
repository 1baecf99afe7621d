import { HttpFixture, type Reaction, type ReceivedRequest } from '../http-fixture.ts';
import { verifySignature } from './verify-signature.ts';

export const REGION = 'eu-central-1';
export const ACCESS_KEY_ID = 'AKIAEXAMPLE';
export const SECRET_ACCESS_KEY = 'not/a+secret';

interface Event {
  readonly timestamp: number;
  readonly message: string;
}

interface Group {
  readonly streams: Map<string, Event[]>;
  retentionInDays?: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/**
 * CloudWatch Logs as its API reference describes it: signatures checked, limits kept, events that are too old or too
 * new left out and named. `check` may compare each request with the API's published model.
 */
export class CloudwatchLogsFixture extends HttpFixture {
  readonly groups = new Map<string, Group>();
  /** The service's own clock, ms since the epoch. */
  nowMs = Date.now();
  /** What is wrong with the shape of a request. */
  check: (operation: string, input: unknown) => readonly string[] = () => [];
  /** Codes of the errors that the next requests are answered with, whatever they are. */
  readonly failures: string[] = [];
  readonly operations: string[] = [];

  constructor() {
    super();
    this.react = (request) => this.serve(request);
  }

  addStream(group: string, stream: string): void {
    this.groups.set(group, { streams: new Map([[stream, []]]) });
  }

  /** A stream's events, in the order of arrival. */
  events(group: string, stream: string): readonly Event[] {
    return this.groups.get(group)?.streams.get(stream) ?? [];
  }

  serve(request: ReceivedRequest): Reaction {
    const signed = verifySignature(request, (id) => (id === ACCESS_KEY_ID ? SECRET_ACCESS_KEY : undefined));
    if (typeof signed === 'string')
      return failed(signed, 'The security token included in the request is invalid.');
    if (signed.region !== REGION || signed.service !== 'logs') {
      return failed('InvalidSignatureException', 'Credential should be scoped to a valid region.');
    }
    const { method, path, headers, body } = request;
    const operation = String(headers['x-amz-target']).replace('Logs_20140328.', '');
    this.operations.push(operation);
    const failure = this.failures.shift();
    if (failure !== undefined) return failed(failure, 'as told');
    if (method !== 'POST' || path !== '/' || headers['content-type'] !== 'application/x-amz-json-1.1') {
      return failed('UnknownOperationException', '');
    }
    const input = JSON.parse(body);
    const problems = this.check(operation, input);
    if (problems.length > 0) return failed('SerializationException', problems.join('; '));
    switch (operation) {
      case 'CreateLogGroup':
        return this.#createGroup(input.logGroupName);
      case 'CreateLogStream':
        return this.#createStream(input.logGroupName, input.logStreamName);
      case 'PutRetentionPolicy':
        return this.#retain(input.logGroupName, input.retentionInDays);
      case 'PutLogEvents':
        return this.#put(input.logGroupName, input.logStreamName, input.logEvents);
      default:
        return failed('UnknownOperationException', '');
    }
  }

  #createGroup(name: string): Reaction {
    if (this.groups.has(name))
      return failed('ResourceAlreadyExistsException', 'The specified log group already exists');
    this.groups.set(name, { streams: new Map() });
    return succeeded({});
  }

  #createStream(group: string, name: string): Reaction {
    const streams = this.groups.get(group)?.streams;
    if (streams === undefined)
      return failed('ResourceNotFoundException', 'The specified log group does not exist.');
    if (streams.has(name))
      return failed('ResourceAlreadyExistsException', 'The specified log stream already exists');
    streams.set(name, []);
    return succeeded({});
  }

  #retain(name: string, days: number): Reaction {
    const group = this.groups.get(name);
    if (group === undefined)
      return failed('ResourceNotFoundException', 'The specified log group does not exist.');
    group.retentionInDays = days;
    return succeeded({});
  }

  #put(groupName: string, streamName: string, events: readonly Event[]): Reaction {
    const group = this.groups.get(groupName);
    if (group === undefined)
      return failed('ResourceNotFoundException', 'The specified log group does not exist.');
    const stream = group.streams.get(streamName);
    if (stream === undefined)
      return failed('ResourceNotFoundException', 'The specified log stream does not exist.');
    const times = events.map(({ timestamp }) => timestamp);
    const bytes = events.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0);
    if (bytes > 1_048_576)
      return failed('InvalidParameterException', 'Upload too large: 1048576 bytes exceeded');
    if (events.length < 1 || events.length > 10_000) {
      return failed('InvalidParameterException', "Value at 'logEvents' failed to satisfy constraint");
    }
    if (times.some((time, n) => n > 0 && time < times[n - 1]!)) {
      return failed(
        'InvalidParameterException',
        'Log events in a single PutLogEvents request must be in chronological order.',
      );
    }
    if (times.at(-1)! - times[0]! > DAY_MS) {
      return failed(
        'InvalidParameterException',
        'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
      );
    }
    const tooOld = times.filter((time) => time < this.nowMs - 14 * DAY_MS).length;
    const expired = times.filter(
      (time) => time < this.nowMs - (group.retentionInDays ?? Number.POSITIVE_INFINITY) * DAY_MS,
    ).length;
    const tooNew = times.filter((time) => time > this.nowMs + 2 * HOUR_MS).length;
    stream.push(...events.slice(Math.max(tooOld, expired), events.length - tooNew));
    const info = {
      ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
      ...(expired > 0 && { expiredLogEventEndIndex: expired }),
      ...(tooNew > 0 && { tooNewLogEventStartIndex: events.length - tooNew }),
    };
    return succeeded({
      nextSequenceToken: '49612',
      ...(Object.keys(info).length > 0 && { rejectedLogEventsInfo: info }),
    });
  }
}

function succeeded(output: object): Reaction {
  return { kind: 'answer', status: 200, body: JSON.stringify(output) };
}

/** An error as the service writes it. */
export function failed(code: string, message: string): Reaction {
  const status = code === 'ServiceUnavailableException' ? 503 : 400;
  return { kind: 'answer', status, body: JSON.stringify({ __type: code, message }) };
}
