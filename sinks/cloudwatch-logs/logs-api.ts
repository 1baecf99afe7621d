import { AwsClient, type AwsClientOptions, sha256Of } from '../aws/aws-client.ts';
import type { Answer } from '../http-client.ts';
import type { SinkContext } from '../sink.ts';

export type Operation = 'PutLogEvents' | 'CreateLogStream' | 'CreateLogGroup' | 'PutRetentionPolicy';

/** The operations of CloudWatch Logs, by its JSON protocol. */
export class LogsApi {
  readonly #client: AwsClient;
  readonly #path: string;

  private constructor(client: AwsClient, path: string) {
    this.#client = client;
    this.#path = path;
  }

  /** @throws when a TLS file cannot be read */
  static async open(options: Omit<AwsClientOptions, 'service'>, context: SinkContext): Promise<LogsApi> {
    const client = await AwsClient.open({ ...options, service: 'logs' }, context);
    return new LogsApi(client, new URL(options.url).pathname);
  }

  /** @throws what `judgeAwsError` judges */
  call(operation: Operation, input: object, signal: AbortSignal): Promise<Answer> {
    const body = [Buffer.from(JSON.stringify(input))];
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Logs_20140328.${operation}`,
    };
    const request = { method: 'POST', path: this.#path, headers, body };
    return this.#client.send(request, sha256Of(body), signal);
  }

  close(): void {
    this.#client.close();
  }
}
