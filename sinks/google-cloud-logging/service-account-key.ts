import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { HttpClient } from '../http-client.ts';
import { describeAnswer } from '../http-outcome.ts';
import type { SinkContext } from '../sink.ts';
import { type AccessToken, parseToken } from './kept-token.ts';
import { UnavailableError } from './unavailable.ts';

const SCOPE = 'https://www.googleapis.com/auth/logging.write';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ASSERTION_SECONDS = 3600;

/** A service account's key: signs assertions (RFC 7523), for which the token endpoint gives access tokens. */
export class ServiceAccountKey {
  readonly projectId: string | undefined;
  readonly #email: string;
  readonly #keyId: string;
  readonly #key: KeyObject;
  readonly #tokenUri: string;
  readonly #client: HttpClient;

  private constructor(file: KeyFile, client: HttpClient) {
    this.projectId = file.project_id;
    this.#email = file.client_email;
    this.#keyId = file.private_key_id;
    this.#key = createPrivateKey(file.private_key);
    this.#tokenUri = file.token_uri;
    this.#client = client;
  }

  /** @throws when the file cannot be read, or is no such key */
  static async open(name: string, path: string, context: SinkContext): Promise<ServiceAccountKey> {
    const file = JSON.parse(await readFile(path, 'utf8')) as KeyFile;
    if (file.type !== 'service_account') {
      throw new Error(`${path} is no service account's key: its type is ${file.type}`);
    }
    const client = await HttpClient.open({ name, url: file.token_uri, concurrency: 1 }, context);
    return new ServiceAccountKey(file, client);
  }

  /** @throws UnavailableError; errors of the network and of `signal` */
  async token(nowMs: number, signal: AbortSignal): Promise<AccessToken> {
    const form = new URLSearchParams({ grant_type: GRANT, assertion: this.#assertion(nowMs) });
    const answer = await this.#client.send(
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: [Buffer.from(form.toString())],
      },
      signal,
    );
    const token = answer.status === 200 ? parseToken(answer.body, nowMs) : undefined;
    if (token) return token;
    const cause = answer.status >= 400 && answer.status < 500 ? 'unauthorized' : 'error';
    const said = answer.status === 200 ? 'the answer has none' : describeAnswer(answer);
    throw new UnavailableError(cause, `cannot get a token from ${this.#tokenUri}: ${said}`);
  }

  close(): void {
    this.#client.close();
  }

  /** A JSON Web Token with an RSA signature (RFC 7515, RS256). */
  #assertion(nowMs: number): string {
    const iat = Math.floor(nowMs / 1000);
    const header = { alg: 'RS256', typ: 'JWT', kid: this.#keyId };
    const claims = {
      iss: this.#email,
      scope: SCOPE,
      aud: this.#tokenUri,
      iat,
      exp: iat + ASSERTION_SECONDS,
    };
    const signed = `${base64url(header)}.${base64url(claims)}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), this.#key).toString('base64url')}`;
  }
}

interface KeyFile {
  readonly type: string;
  readonly project_id?: string;
  readonly private_key_id: string;
  readonly private_key: string;
  readonly client_email: string;
  readonly token_uri: string;
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
