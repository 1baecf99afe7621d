/** What of a sink's configuration says how its objects are kept. */
export interface ObjectOptions {
  readonly compression: 'none' | 'gzip' | 'zstd';
  readonly storage_class?: string | undefined;
  readonly acl?: string | undefined;
  readonly server_side_encryption?: string | undefined;
  readonly ssekms_key_id?: string | undefined;
  readonly bucket_key_enabled?: boolean | undefined;
}

// An object is the packed file that its name says it is: with a content-encoding, clients would unpack it on the way.
const CONTENT_TYPES = { none: 'application/x-ndjson', gzip: 'application/gzip', zstd: 'application/zstd' };

/** The headers that every object of a sink is put with. */
export function objectHeaders(options: ObjectOptions): Record<string, string> {
  const optional = {
    'x-amz-storage-class': options.storage_class,
    'x-amz-acl': options.acl,
    'x-amz-server-side-encryption': options.server_side_encryption,
    'x-amz-server-side-encryption-aws-kms-key-id': options.ssekms_key_id,
    'x-amz-server-side-encryption-bucket-key-enabled': options.bucket_key_enabled?.toString(),
  };
  const headers: Record<string, string> = { 'content-type': CONTENT_TYPES[options.compression] };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) headers[name] = value;
  return headers;
}
