import type { Answer } from '../http-client.ts';
import { describe, errorCode } from './judge.ts';
import type { LogsApi } from './logs-api.ts';

/** What of a sink's configuration says what may be created. */
export interface CreateOptions {
  readonly name: string;
  readonly group_name: string;
  readonly stream_name: string;
  readonly create_missing_group: boolean;
  readonly retention_in_days?: number | undefined;
}

/**
 * Creates a stream, and its group where that is missing too and may be created. Others may do the same at the same
 * time: what is there already is as good as created.
 * @param warn told when the group is there, and its retention could not be set
 * @returns the answer that says why it cannot be; undefined when the stream is there
 */
export async function createStream(
  api: LogsApi,
  options: CreateOptions,
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const { name, group_name: logGroupName, stream_name: logStreamName } = options;
  const stream = { logGroupName, logStreamName };
  const answer = await api.call('CreateLogStream', stream, signal);
  if (isThere(answer)) return undefined;
  if (errorCode(answer) !== 'ResourceNotFoundException' || !options.create_missing_group) return answer;

  const group = await api.call('CreateLogGroup', { logGroupName }, signal);
  if (!isThere(group)) return group;
  const { retention_in_days: retentionInDays } = options;
  // Whoever created it sets its retention; what somebody else has set since stays.
  if (retentionInDays !== undefined && errorCode(group) === undefined) {
    const retention = await api.call('PutRetentionPolicy', { logGroupName, retentionInDays }, signal);
    const code = errorCode(retention);
    if (code !== undefined) {
      warn(
        `sink ${name} cannot set the retention of the log group ${logGroupName} to ${retentionInDays} days (${describe(retention, code)}): it keeps its events for ever until somebody sets it`,
      );
    }
  }
  const again = await api.call('CreateLogStream', stream, signal);
  return isThere(again) ? undefined : again;
}

function isThere(answer: Answer): boolean {
  const code = errorCode(answer);
  return code === undefined || code === 'ResourceAlreadyExistsException';
}
