import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createFileRegistry, fromBinary, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { HttpFixture, type Reaction, type ReceivedRequest } from '../http-fixture.ts';

const REQUEST_BYTES_MAX = 10_000_000;
const ENTRY_BYTES_MAX = 256 << 10;
const TOKEN_SECONDS = 3600;
export const WRITE_PATH = '/v2/entries:write';

const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(new URL('logging.binpb', import.meta.url))),
);
const WRITE_REQUEST = registry.getMessage('google.logging.v2.WriteLogEntriesRequest')!;

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** An entry as Cloud Logging keeps it: with what the request said for all. */
export interface KeptEntry {
  readonly insertId: string;
  readonly timestamp: string;
  readonly severity: string;
  readonly logName: string;
  readonly resource: { readonly type: string; readonly labels: Record<string, string> };
  readonly labels: Record<string, string>;
  readonly jsonPayload: Record<string, unknown>;
}

/** What is wrong with one entry, as google.rpc.Status. */
export interface EntryStatus {
  readonly code: number;
  readonly message: string;
}

/**
 * Google Cloud as this agent sees it, on one port: the metadata server, the token endpoint and Cloud Logging.
 *
 * It takes nothing that the real service's published messages do not have, or that comes without a token which it
 * gave; it knows the limits of a request and an entry; it answers for each entry with `partialSuccess`; and it keeps
 * one of several entries that are equal in `insertId` and time.
 */
export class GoogleCloud {
  readonly server = new HttpFixture();
  /** What the metadata server knows. */
  readonly metadata = new Map([
    ['project/project-id', 'a-project'],
    ['instance/attributes/cluster-location', 'europe-west1-b'],
    ['instance/attributes/cluster-name', 'a-cluster'],
  ]);
  /** Faults: what is not left to the service. */
  fault: (request: ReceivedRequest) => Reaction | undefined = () => undefined;
  /** What is wrong with an entry beyond its size. */
  judge: (entry: KeptEntry) => EntryStatus | undefined = () => undefined;
  /** So many writes are done, and their answers lost. */
  loseNext = 0;
  tokensGiven = 0;
  readonly #good = new Set<string>();
  readonly #entries = new Map<string, KeptEntry>();

  constructor() {
    this.server.react = (request) => {
      const reaction = this.fault(request) ?? this.#answer(request);
      if (request.path !== WRITE_PATH || this.loseNext === 0) return reaction;
      this.loseNext--;
      return { kind: 'reset_after_body' };
    };
  }

  get entries(): KeptEntry[] {
    return [...this.#entries.values()];
  }

  /** No token given until now is good any longer. */
  revokeTokens(): void {
    this.#good.clear();
  }

  /** Writes a service account's key file whose tokens are given here. */
  writeKeyFile(path: string, changes: Record<string, unknown> = {}): void {
    const key = {
      type: 'service_account',
      project_id: 'key-project',
      private_key_id: 'key-1',
      private_key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      client_email: 'agent@key-project.iam.gserviceaccount.com',
      token_uri: `${this.server.origin}/token`,
    };
    writeFileSync(path, JSON.stringify({ ...key, ...changes }));
  }

  #answer(request: ReceivedRequest): Reaction {
    const { method, path } = request;
    if (path.startsWith('/computeMetadata/v1/')) return this.#answerMetadata(request);
    if (method === 'POST' && path === '/token') return this.#answerAssertion(request);
    if (method === 'POST' && path === WRITE_PATH) return this.#answerWrite(request);
    return failure(404, 5, `no ${method} ${path}`);
  }

  #answerMetadata({ method, path, headers }: ReceivedRequest): Reaction {
    if (method !== 'GET' || headers['metadata-flavor'] !== 'Google') return answer(403, 'Metadata-Flavor');
    const key = path.slice('/computeMetadata/v1/'.length);
    const value =
      key === 'instance/service-accounts/default/token' ? this.#newToken() : this.metadata.get(key);
    return { ...answer(value === undefined ? 404 : 200, value), headers: { 'metadata-flavor': 'Google' } };
  }

  /** Gives a token for an assertion that the key signed, is meant for here, and is not too old. */
  #answerAssertion({ body, headers }: ReceivedRequest): Reaction {
    if (headers['content-type'] !== 'application/x-www-form-urlencoded') return answer(400, 'no form');
    const form = new URLSearchParams(body);
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return answer(400, 'grant');
    const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    const isSigned = verify(
      'RSA-SHA256',
      Buffer.from(`${header}.${claims}`),
      createPublicKey(keys.publicKey.export({ type: 'spki', format: 'pem' })),
      Buffer.from(signature, 'base64url'),
    );
    const { alg, kid } = decode(header);
    const { iss, scope, aud, iat, exp } = decode(claims);
    const now = Date.now() / 1000;
    const isRight =
      isSigned &&
      alg === 'RS256' &&
      kid === 'key-1' &&
      iss === 'agent@key-project.iam.gserviceaccount.com' &&
      scope === 'https://www.googleapis.com/auth/logging.write' &&
      aud === `${this.server.origin}/token` &&
      iat <= now &&
      iat > now - 60 &&
      exp > now &&
      exp - iat <= 3600;
    return isRight ? answer(200, this.#newToken()) : answer(400, '{"error": "invalid_grant"}');
  }

  #newToken(): string {
    const token = `token-${++this.tokensGiven}`;
    this.#good.add(token);
    return JSON.stringify({ access_token: token, expires_in: TOKEN_SECONDS, token_type: 'Bearer' });
  }

  #answerWrite({ headers, body, bytes }: ReceivedRequest): Reaction {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    if (!this.#good.has(token)) return failure(401, 16, 'Request had invalid authentication credentials.');
    if (bytes.length > REQUEST_BYTES_MAX) return failure(400, 3, 'Request payload size exceeds the limit');
    let request: WriteBody;
    try {
      fromJson(WRITE_REQUEST, JSON.parse(body) as JsonValue, { registry });
      request = JSON.parse(body);
    } catch (error) {
      return failure(400, 3, `Invalid JSON payload received. ${(error as Error).message}`);
    }
    const { entries, partialSuccess, ...common } = request;
    const errors: Record<number, EntryStatus> = {};
    const timestamp = new Date().toISOString();
    const kept = entries.map(
      (entry): KeptEntry => ({ ...common, ...entry, timestamp: entry.timestamp ?? timestamp }),
    );
    for (const [index, entry] of kept.entries()) {
      const isLarge = Buffer.byteLength(JSON.stringify(entry)) > ENTRY_BYTES_MAX;
      const status = isLarge ? { code: 3, message: 'Log entry is too large' } : this.judge(entry);
      if (status) errors[index] = status;
    }
    const [first] = Object.values(errors);
    if (first === undefined || partialSuccess) {
      for (const [index, entry] of kept.entries()) {
        if (!(index in errors)) this.#entries.set(`${entry.insertId} ${entry.timestamp}`, entry);
      }
    }
    if (first === undefined) return answer(200, '{}');
    const type = 'type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors';
    const details = partialSuccess ? [{ '@type': type, logEntryErrors: errors }] : [];
    return failure(400, first.code, first.message, details);
  }
}

interface WriteBody {
  readonly logName: string;
  readonly resource: KeptEntry['resource'];
  readonly labels: Record<string, string>;
  readonly partialSuccess?: boolean;
  readonly entries: readonly (Omit<KeptEntry, 'timestamp'> & { readonly timestamp?: string })[];
}

/** A part of a JSON Web Token; anything may stand in it. */
function decode(part: string) {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

function answer(status: number, body = '') {
  return { kind: 'answer', status, body } as const;
}

/** An error as Google's APIs write it. */
function failure(status: number, code: number, message: string, details: readonly object[] = []): Reaction {
  return answer(
    status,
    JSON.stringify({ error: { code: status, message, status: `CODE_${code}`, details } }),
  );
}
