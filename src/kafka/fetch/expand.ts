import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { messageOf } from '../../errors.ts';
import { lz4ExpandedSize } from './lz4-size.ts';
import { snappyChunks, snappyExpandedSize } from './snappy-chunks.ts';

/** By the number in a batch's attributes. */
export const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** The bytes expand to more than the limit; none of them were kept. */
export class ExpandsTooFarError extends Error {
  override name = 'ExpandsTooFarError';
}

type Decompress = (bytes: Buffer) => Promise<Buffer>;

const require = createRequire(import.meta.url);
const gunzipAsync = promisify(gunzip);
const zstdAsync = promisify(zstdDecompress);
const MIN_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 256 * 1024;

/**
 * Decompresses `bytes` to at most `limit` bytes: zlib and zstd stop there, snappy and LZ4 say beforehand how long
 * the outcome is. Throws ExpandsTooFarError, or the codec's own error for bytes it cannot read.
 */
export async function expand(codec: number, bytes: Buffer, limit: number): Promise<Buffer> {
  switch (CODEC_NAMES[codec]) {
    case 'none':
      return bytes;
    case 'gzip':
      return bounded(() => gunzipAsync(bytes, zlibOptions(bytes, limit)));
    case 'zstd':
      return bounded(() => zstdAsync(bytes, zlibOptions(bytes, limit)));
    case 'lz4':
      if (lz4ExpandedSize(bytes, limit) > limit) throw new ExpandsTooFarError();
      return lz4()(bytes);
    case 'snappy':
      return expandSnappy(bytes, limit);
    default:
      throw new Error(`codec ${codec} is unknown`);
  }
}

async function bounded(decompress: () => Promise<Buffer>): Promise<Buffer> {
  try {
    return await decompress();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw new ExpandsTooFarError(messageOf(error), { cause: error });
  }
}

/** Chunks grow with the input: each is a round trip to a thread, and the last one is kept whole. */
function zlibOptions(bytes: Buffer, limit: number): { maxOutputLength: number; chunkSize: number } {
  const chunkSize = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, bytes.length * 2));
  return { maxOutputLength: limit, chunkSize };
}

async function expandSnappy(bytes: Buffer, limit: number): Promise<Buffer> {
  const chunks = snappyChunks(bytes);
  const size = chunks.reduce((sum, chunk) => sum + snappyExpandedSize(chunk), 0);
  if (size > limit) throw new ExpandsTooFarError();
  const decompress = snappy();
  const parts: Buffer[] = [];
  for (const chunk of chunks) parts.push(await decompress(chunk));
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

/** Loaded at the first use: a platform without its native part misses only LZ4. */
function lz4(): Decompress {
  const LZ4 = require('@2l/kafkajs-lz4') as new () => { codec: () => { decompress: Decompress } };
  return new LZ4().codec().decompress;
}

function snappy(): Decompress {
  return (require('kafkajs-snappy') as () => { decompress: Decompress })().decompress;
}
