import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { CorruptError } from './failure.ts';
import type { RecordBlock } from './types.ts';

/** A block as the database holds it: its bytes packed, unless they would not become fewer. */
export interface PackedBlock extends RecordBlock {
  /** Bytes of the records themselves. */
  readonly size: number;
}

/**
 * Blocks of a backlog are packed. What lines make as they are written is less at a time, and soon gone: for a few hundred
 * KB a second packing costs more time than it saves, and 6 MB of memory.
 */
const PACKED_BYTES_MIN = 192 << 10;
/**
 * Seven times smaller, records of windows four times, for less than what writing, writing back and reading the bytes would
 * cost.
 */
const LEVEL = -3;
/** In what steps memory is taken for what comes out. */
const CHUNK_BYTES = 64 << 10;
const PACKING = { params: { [constants.ZSTD_c_compressionLevel]: LEVEL }, chunkSize: CHUNK_BYTES };

export function pack({ bytes, count }: RecordBlock): PackedBlock {
  const size = bytes.length;
  if (size < PACKED_BYTES_MIN) return { bytes, count, size };
  const packed = zstdCompressSync(bytes, PACKING);
  return { bytes: packed.length < size ? packed : bytes, count, size };
}

/** @param size of the records @throws CorruptError when they cannot be had */
export function unpack(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length === size) return bytes;
  let unpacked: Buffer | undefined;
  try {
    unpacked = zstdDecompressSync(bytes, { chunkSize: CHUNK_BYTES, maxOutputLength: size });
  } catch (error) {
    throw new CorruptError(`a block cannot be unpacked: ${(error as Error).message}`);
  }
  if (unpacked.length !== size) throw new CorruptError(`a block has ${unpacked.length} bytes, not ${size}`);
  return unpacked;
}
