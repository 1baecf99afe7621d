import { readFile } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import type { TlsOptions } from '../agent/config/sinks/common.ts';
import type { SinkContext } from './sink.ts';

// `node:fs/promises` takes 7 ms to load, and a sink without such files needs neither.
const read = promisify(readFile);

/**
 * What a sink's `tls` says, as Node's TLS wants it, with its files read; warns when the server is not to be verified.
 * @throws when a file cannot be read
 */
export async function readTls(
  sink: string,
  tls: TlsOptions,
  context: SinkContext,
): Promise<Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>> {
  if (tls?.insecure_skip_verify) {
    context.warn(`sink ${sink} accepts any certificate: whoever is on the way can read and change records`);
  }
  const [ca, cert, key] = await Promise.all(
    [tls?.ca_file, tls?.cert_file, tls?.key_file].map((path) => path && read(path)),
  );
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(tls?.insecure_skip_verify && { rejectUnauthorized: false }),
  };
}
