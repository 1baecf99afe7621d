import { createHash, createHmac } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { freePort } from '../../helpers/free-port.ts';
import { built, versions } from '../cache.ts';
import { answers, ServerProcess } from './server-process.ts';

export const KMS_KEY = 'flows-key';

/** A real MinIO with one user, STS and a key for encryption, on one disk. */
export class Minio extends ServerProcess {
  readonly origin: string;
  readonly region = 'eu-central-1';
  readonly accessKeyId = 'minio-user';
  readonly secretAccessKey = 'minio-secret-key';
  readonly #port: number;

  private constructor(port: number) {
    super('minio');
    this.#port = port;
    this.origin = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<Minio> {
    return new Minio(await freePort()).started();
  }

  async createBucket(bucket: string): Promise<void> {
    await this.request('PUT', `/${bucket}`);
  }

  /** The keys below a prefix, in order. */
  async list(bucket: string, prefix = ''): Promise<string[]> {
    const keys: string[] = [];
    for (let more: string | undefined = ''; more !== undefined; ) {
      const query: Record<string, string> = {
        'list-type': '2',
        prefix,
        ...(more !== '' && { 'continuation-token': more }),
      };
      const text: string = await (await this.request('GET', `/${bucket}`, query)).text();
      keys.push(...Array.from(text.matchAll(/<Key>([^<]*)<\/Key>/g), ([, key]) => key!));
      more = /<NextContinuationToken>([^<]*)</.exec(text)?.[1];
    }
    return keys;
  }

  /** One object's bytes and headers. */
  async get(bucket: string, key: string): Promise<{ headers: Headers; bytes: Buffer }> {
    const answer = await this.request('GET', `/${bucket}/${key}`);
    return { headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
  }

  /** The lines of all gzipped objects below a prefix. */
  async lines(bucket: string, prefix = ''): Promise<string[]> {
    const lines: string[] = [];
    for (const key of await this.list(bucket, prefix)) {
      const { bytes } = await this.get(bucket, key);
      lines.push(...gunzipSync(bytes).toString().split('\n').slice(0, -1));
    }
    return lines;
  }

  /** A signed request. @throws when it is answered with an error */
  async request(method: string, path: string, query: Record<string, string> = {}): Promise<Response> {
    const date = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const search = Object.entries(query)
      .map((pair) => pair.map(encodeURIComponent).join('='))
      .sort()
      .join('&');
    const url = new URL(`${path.split('/').map(encodeURIComponent).join('/')}?${search}`, this.origin);
    const headers = {
      host: url.host,
      'x-amz-checksum-mode': 'ENABLED',
      'x-amz-content-sha256': sha256(''),
      'x-amz-date': date,
    };
    const names = Object.keys(headers).join(';');
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}`);
    const canonical = [method, url.pathname, search, ...lines, '', names, sha256('')].join('\n');
    const scope = [date.slice(0, 8), this.region, 's3', 'aws4_request'];
    const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n');
    const key = scope.reduce(hmac, Buffer.from(`AWS4${this.secretAccessKey}`));
    const answer = await fetch(url, {
      method,
      headers: {
        ...headers,
        authorization: `AWS4-HMAC-SHA256 Credential=${this.accessKeyId}/${scope.join('/')}, SignedHeaders=${names}, Signature=${hmac(key, toSign).toString('hex')}`,
      },
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  protected command(): readonly string[] {
    const settings = {
      MINIO_ROOT_USER: this.accessKeyId,
      MINIO_ROOT_PASSWORD: this.secretAccessKey,
      MINIO_SITE_REGION: this.region,
      MINIO_KMS_SECRET_KEY: `${KMS_KEY}:${Buffer.alloc(32, 7).toString('base64')}`,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      MINIO_CALLHOME_ENABLE: 'off',
    };
    return [
      ...['env', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)],
      ...[built(`minio-${versions.MINIO}/minio`), 'server', '--address', `127.0.0.1:${this.#port}`],
      this.at('data'),
    ];
  }

  protected isReady(): Promise<boolean> {
    return answers(`${this.origin}/minio/health/ready`);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
