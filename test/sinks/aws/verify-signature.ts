import { createHash, createHmac } from 'node:crypto';
import type { ReceivedRequest } from '../http-fixture.ts';

export interface Signed {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
}

/** How far a request's date may be off, as AWS has it. */
const SKEW_MS_MAX = 15 * 60_000;

/**
 * Checks a request's Signature Version 4 as AWS does, step by step from its description and with nothing of the code
 * that signs. Paths are expected without characters that only one of the two would encode.
 * @param secretOf the secret of an access key
 * @returns who signed for what; or the error code that AWS answers with
 */
export function verifySignature(
  { method, path, headers, bytes }: ReceivedRequest,
  secretOf: (accessKeyId: string) => string | undefined,
  nowMs = Date.now(),
): Signed | string {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (match === null) return 'IncompleteSignatureException';
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', signature] = match;
  const secret = secretOf(accessKeyId);
  if (secret === undefined) return 'UnrecognizedClientException';
  const date = String(headers['x-amz-date']);
  const dateMs = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!date.startsWith(day) || !(Math.abs(nowMs - dateMs) <= SKEW_MS_MAX)) return 'InvalidSignatureException';
  const signedNames = names.split(';');
  for (const needed of ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))]) {
    if (!signedNames.includes(needed)) return 'InvalidSignatureException';
  }
  const bodyHash = sha256(bytes);
  const stated = headers['x-amz-content-sha256'];
  if (stated !== undefined && stated !== bodyHash) return 'XAmzContentSHA256Mismatch';
  const canonical = [
    method,
    path,
    '',
    ...signedNames.map((name) => `${name}:${String(headers[name]).trim().replaceAll(/ +/g, ' ')}`),
    '',
    names,
    bodyHash,
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer>(
    (secretKey, part) => hmac(secretKey, part),
    Buffer.from(`AWS4${secret}`),
  );
  if (hmac(key, toSign).toString('hex') !== signature) return 'InvalidSignatureException';
  return { accessKeyId, region, service };
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
