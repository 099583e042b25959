import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import kafkajs, { CompressionTypes } from 'kafkajs';
import type { Config } from '../config-schema.ts';
import { AppError } from '../errors.ts';

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

// Node finds only some of kafkajs' CommonJS exports by name; this one is not among them.
const { CompressionCodecs } = kafkajs;
const require = createRequire(import.meta.url);
const compressZstd = promisify(zstdCompress);

/** Loaded at the first use: a platform without its native part misses only LZ4. */
function lz4(): Codec {
  const LZ4 = require('@2l/kafkajs-lz4') as new () => { codec: () => Codec };
  return new LZ4().codec();
}

function snappy(): Codec {
  return (require('kafkajs-snappy') as () => Codec)();
}

/** Teaches kafkajs to compress with the codecs it lacks. What it fetches is decompressed in `fetch/expand.ts`. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = () => writeOnly(snappy());
  CompressionCodecs[CompressionTypes.LZ4] = () => writeOnly(lz4());
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: { buffer: Buffer }) => compressZstd(encoder.buffer),
    decompress: refuse,
  });
}

/** kafkajs' own way to decompress has no bound, so that nothing may take it. */
function writeOnly(codec: Codec): Codec {
  return { compress: (encoder) => codec.compress(encoder), decompress: refuse };
}

function refuse(): Promise<Buffer> {
  const message = 'kafkajs was to decompress a batch itself; installFetchDecoder was not called';
  return Promise.reject(new AppError('consumer_crashed', message));
}

/** What kafkajs calls the configured compression. */
export const COMPRESSION: Record<Config['output']['compression'], CompressionTypes> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};
