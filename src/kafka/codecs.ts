import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs, { CompressionTypes } from 'kafkajs';
import type { Config } from '../config-schema.ts';

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

// Node finds only some of kafkajs' CommonJS exports by name; this one is not among them.
const { CompressionCodecs } = kafkajs;
const require = createRequire(import.meta.url);
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const zstd: Codec = {
  compress: (encoder) => compress(encoder.buffer),
  decompress: (buffer) => decompress(buffer),
};

/** Loaded at the first use: a platform without its native part misses only LZ4. */
function lz4(): Codec {
  const LZ4 = require('@2l/kafkajs-lz4') as new () => { codec: () => Codec };
  return new LZ4().codec();
}

function snappy(): Codec {
  return (require('kafkajs-snappy') as () => Codec)();
}

/**
 * Teaches kafkajs the codecs it lacks. A consumer that meets an unknown codec dies without restarting, and
 * any producer may have chosen any codec, so all of them are needed whatever we write ourselves.
 */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = snappy;
  CompressionCodecs[CompressionTypes.LZ4] = lz4;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstd;
}

/** What kafkajs calls the configured compression. */
export const COMPRESSION: Record<Config['output']['compression'], CompressionTypes> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};
