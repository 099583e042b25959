import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { configSchema } from '../config-schema.ts';
import { AppError, messageOf } from '../errors.ts';
import { csvField } from '../hashes/csv-line.ts';
import { createDecoderPool, type DecoderPool } from '../images/decoder-pool.ts';
import type { PreprocessSpec } from '../images/image-decoder.ts';
import { decoderSettingsOf } from '../inspector.ts';

/** The columns of `listLine`. */
export const LIST_HEADER = 'pdq,quality,sha256,id';

export interface FileHashes {
  /** PDQ, 64 hexadecimal digits. */
  pdq: string;
  /** Of the PDQ hash, 0 to 100. */
  quality: number;
  sha256: string;
}

export type HashedFile =
  | { file: string; hashes: FileHashes; error?: never }
  | { file: string; hashes?: never; error: AppError };

/** One line of a list of known images. */
export function listLine({ pdq, quality, sha256 }: FileHashes, id: string): string {
  return [pdq, quality, sha256, csvField(id)].join(',');
}

/** A decoder process must be given one; nothing is preprocessed here. */
const ANY_PREPROCESSING: PreprocessSpec = {
  mode: 'squash',
  resizeTo: 1,
  width: 1,
  height: 1,
  kernel: 'nearest',
  mean: [0, 0, 0],
  std: [1, 1, 1],
  rescale: 1,
};

/** Hashes files with the limits that a service has by default, in order. What cannot be hashed is told as well. */
export async function* hashFiles(files: readonly string[]): AsyncGenerator<HashedFile> {
  const limits = configSchema.shape.images.parse({});
  const processes = Math.min(availableParallelism(), files.length);
  const pool = createDecoderPool({
    ...decoderSettingsOf(limits, ANY_PREPROCESSING),
    processes,
    timeoutMs: limits.decodeTimeoutMs,
    memoryBytes: limits.decoderMemoryBytes,
  });
  try {
    const ahead: Array<Promise<HashedFile>> = [];
    for (const file of files) {
      ahead.push(hashFile(file, pool));
      // While one is waited for, each process has one in hand and one to go on with.
      const first = ahead.length > 2 * processes ? ahead.shift() : undefined;
      if (first) yield await first;
    }
    for (const last of ahead) yield await last;
  } finally {
    await pool.close();
  }
}

async function hashFile(file: string, pool: DecoderPool): Promise<HashedFile> {
  try {
    const bytes = await read(file);
    const { hash, quality } = await pool.fingerprint(bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { file, hashes: { pdq: hash, quality, sha256 } };
  } catch (error) {
    if (!(error instanceof AppError) || error.disposition === 'fatal') throw error;
    return { file, error };
  }
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new AppError('image_not_found', `reading the image: ${messageOf(cause)}`, { cause });
  }
}
