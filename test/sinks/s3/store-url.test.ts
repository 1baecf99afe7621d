import { expect, test } from 'vitest';
import { storeUrl } from '../../../sinks/s3/store-url.ts';

const bucket = 'flows';
const region = 'eu-central-1';

test.each([
  [{}, 'https://flows.s3.eu-central-1.amazonaws.com/'],
  [{ region: 'cn-north-1' }, 'https://flows.s3.cn-north-1.amazonaws.com.cn/'],
  [{ bucket: 'my.flows' }, 'https://s3.eu-central-1.amazonaws.com/my.flows/'],
  [{ bucket: 'my.flows', force_path_style: false }, 'https://my.flows.s3.eu-central-1.amazonaws.com/'],
  [{ force_path_style: true }, 'https://s3.eu-central-1.amazonaws.com/flows/'],
  [{ endpoint: 'http://minio:9000' }, 'http://minio:9000/flows/'],
  [{ endpoint: 'http://minio:9000/', force_path_style: false }, 'http://flows.minio:9000/'],
  [{ endpoint: 'https://gateway/s3/' }, 'https://gateway/s3/flows/'],
])('%j', (options, url) => {
  expect(storeUrl({ bucket, region, ...options }).href).toBe(url);
});
