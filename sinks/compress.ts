import { promisify } from 'node:util';
import { constants, gzip, zstdCompress } from 'node:zlib';

/** How a body may be packed, as `Content-Encoding` names it. */
export type Compression = 'gzip' | 'zstd';

/** Most of the gain at a third of the default level's CPU. */
const GZIP_LEVEL = 3;
const ZSTD_LEVEL = 3;

const gzipBuffer = promisify<Buffer, { level: number }, Buffer>(gzip);
const zstdBuffer = promisify<Buffer, { params: Record<number, number> }, Buffer>(zstdCompress);

/** Packs the pieces into one, off the main thread. */
export function compress(pieces: readonly Buffer[], compression: Compression): Promise<Buffer> {
  const plain = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  return compression === 'gzip'
    ? gzipBuffer(plain, { level: GZIP_LEVEL })
    : zstdBuffer(plain, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });
}
