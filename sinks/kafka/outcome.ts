import type { Rejected, Retry, TooLarge } from '../sink.ts';

const REASON_CHARS_MAX = 300;

const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const UNAUTHORIZED = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
]);
/** What speaks of the records. */
const REJECTED = new Set(['INVALID_RECORD', 'INVALID_TIMESTAMP']);
const BUSY = new Set([
  'THROTTLING_QUOTA_EXCEEDED',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
]);

/** What is known of an error of the client: a tree, with the brokers' own error codes at its ends. */
interface ClientError extends Error {
  readonly code?: string;
  /** The protocol's name of the error. */
  readonly apiId?: string;
  readonly errors?: readonly ClientError[] | Readonly<Record<string, ClientError>>;
  readonly cause?: ClientError;
}

/** What an error of the client means for the whole batch. */
export function judgeKafkaError(error: unknown): Retry | TooLarge | Rejected {
  const all = flatten(error as ClientError);
  const find = (names: ReadonlySet<string>) => all.find(({ apiId = '' }) => names.has(apiId));
  const login = all.find(({ code }) => code === 'PLT_KFK_AUTHENTICATION') ?? find(UNAUTHORIZED);
  if (login) return { kind: 'retry', cause: 'unauthorized', reason: describe(login) };
  const size = find(TOO_LARGE);
  if (size) return { kind: 'too_large', reason: describe(size) };
  const record = find(REJECTED);
  if (record) return { kind: 'rejected', reason: describe(record) };
  const busy = find(BUSY);
  if (busy) return { kind: 'retry', cause: 'busy', reason: describe(busy) };
  // The innermost is the first cause.
  return { kind: 'retry', cause: 'network', reason: describe(all.find(({ apiId }) => apiId) ?? all.at(-1)!) };
}

function describe({ apiId, message }: ClientError): string {
  return (apiId === undefined ? message : `${apiId}: ${message}`).slice(0, REASON_CHARS_MAX);
}

/** The error and all that it wraps, the outermost first. */
function flatten(error: ClientError): ClientError[] {
  const inner = [...Object.values(error.errors ?? {}), error.cause].filter((one) => one instanceof Error);
  return [error, ...inner.flatMap(flatten)];
}
