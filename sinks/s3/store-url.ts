import { awsHost } from '../aws/aws-host.ts';

/** What of a sink's configuration says where its bucket is. */
export interface StoreOptions {
  readonly bucket: string;
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly force_path_style?: boolean | undefined;
}

/** The URL below which a bucket's objects are, with a `/` at its end. */
export function storeUrl({ bucket, region, endpoint, force_path_style: forced }: StoreOptions): URL {
  const url = new URL(endpoint ?? `https://${awsHost('s3', region)}`);
  const path = url.pathname.replace(/\/*$/, '/');
  // A certificate for *.s3.… does not cover a name with a further dot.
  if (forced ?? (endpoint !== undefined || bucket.includes('.'))) url.pathname = `${path}${bucket}/`;
  else {
    url.pathname = path;
    url.hostname = `${bucket}.${url.hostname}`;
  }
  return url;
}
