/**
 * Writes record batches and fetch responses byte by byte, independently of any decoder, so that a test can also write
 * what no client would.
 */
import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';

const require = createRequire(import.meta.url);

export type BatchCodec = 'none' | 'gzip' | 'snappy' | 'snappy-framed' | 'lz4' | 'zstd';

export interface RecordParts {
  offsetDelta: number;
  timestampDelta?: number | bigint;
  key?: Buffer | null;
  value?: Buffer | null;
  headers?: Array<[name: string | Buffer, value: Buffer | null]>;
}

export interface BatchParts {
  baseOffset?: number | bigint;
  codec?: BatchCodec;
  /** The codec bits as written; default: those of `codec`. */
  codecNumber?: number;
  magic?: number;
  /** The records; or the bytes that stand in their place, before compression. */
  records?: RecordParts[] | Buffer;
  recordCount?: number;
  lastOffsetDelta?: number;
  baseTimestamp?: number | bigint;
  maxTimestamp?: number | bigint;
  appendTime?: boolean;
  control?: boolean;
  producerId?: number;
  inTransaction?: boolean;
}

const CODEC_NUMBERS = { none: 0, gzip: 1, snappy: 2, 'snappy-framed': 2, lz4: 3, zstd: 4 };

/** A record batch of format 2, with its frame. Its checksum is zero. */
export async function recordBatch(parts: BatchParts): Promise<Buffer> {
  const { records = [], codec = 'none', baseTimestamp = 1_700_000_000_000 } = parts;
  const body = Buffer.isBuffer(records) ? records : Buffer.concat(records.map(recordBytes));
  const given = Buffer.isBuffer(records) ? 1 : records.length;
  const last = Buffer.isBuffer(records) ? 0 : (records.at(-1)?.offsetDelta ?? 0);
  const compressed = await compress(codec, body);
  const batch = Buffer.alloc(61);
  batch.writeBigInt64BE(BigInt(parts.baseOffset ?? 0), 0);
  batch.writeInt32BE(49 + compressed.length, 8);
  batch.writeInt8(parts.magic ?? 2, 16);
  const attributes =
    (parts.codecNumber ?? CODEC_NUMBERS[codec]) |
    (parts.appendTime ? 8 : 0) |
    (parts.inTransaction ? 16 : 0) |
    (parts.control ? 32 : 0);
  batch.writeInt16BE(attributes, 21);
  batch.writeInt32BE(parts.lastOffsetDelta ?? last, 23);
  batch.writeBigInt64BE(BigInt(baseTimestamp), 27);
  batch.writeBigInt64BE(BigInt(parts.maxTimestamp ?? baseTimestamp), 35);
  batch.writeBigInt64BE(BigInt(parts.producerId ?? -1), 43);
  batch.writeInt32BE(parts.recordCount ?? given, 57);
  return Buffer.concat([batch, compressed]);
}

/** The marker that ends a transaction. */
export function marker(
  baseOffset: number,
  producerId: number,
  type: 'abort' | 'commit',
): Promise<Buffer> {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  const records = [{ offsetDelta: 0, key, value: Buffer.alloc(6) }];
  return recordBatch({ baseOffset, producerId, records, control: true, inTransaction: true });
}

export function recordBytes(record: RecordParts): Buffer {
  const { offsetDelta, timestampDelta = 0, key = null, value = null, headers = [] } = record;
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(timestampDelta),
    varint(offsetDelta),
    lengthAndBytes(key),
    lengthAndBytes(value),
    varint(headers.length),
    ...headers.flatMap(([name, content]) => [
      lengthAndBytes(typeof name === 'string' ? Buffer.from(name) : name),
      lengthAndBytes(content),
    ]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

function lengthAndBytes(bytes: Buffer | null): Buffer {
  return bytes ? Buffer.concat([varint(bytes.length), bytes]) : varint(-1);
}

/** Zigzag, then seven bits a byte, the lowest first. */
export function varint(value: number | bigint): Buffer {
  const signed = BigInt(value);
  let rest = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

export async function compress(codec: BatchCodec, bytes: Buffer): Promise<Buffer> {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return gzipSync(bytes);
    case 'zstd':
      return zstdCompressSync(bytes);
    case 'lz4':
      return lz4().compress({ buffer: bytes });
    case 'snappy':
      return snappy().compress({ buffer: bytes });
    case 'snappy-framed':
      return framed(bytes);
  }
}

/** As snappy-java writes it: chunks of 32 KiB with their lengths. */
async function framed(bytes: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [Buffer.from('82534e41505059000000000100000001', 'hex')];
  for (let at = 0; at < bytes.length; at += 32_768) {
    const chunk = await snappy().compress({ buffer: bytes.subarray(at, at + 32_768) });
    const size = Buffer.alloc(4);
    size.writeUInt32BE(chunk.length);
    parts.push(size, chunk);
  }
  return Buffer.concat(parts);
}

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

export function lz4(): Codec {
  const LZ4 = require('@2l/kafkajs-lz4') as new () => { codec: () => Codec };
  return new LZ4().codec();
}

export function snappy(): Codec {
  return (require('kafkajs-snappy') as () => Codec)();
}

export interface PartitionParts {
  partition?: number;
  batches?: Buffer[];
  aborted?: Array<{ producerId: number; firstOffset: number }>;
}

/** A Fetch response of version 4 to 11 with one topic, `images`. */
export function fetchResponse(version: number, partitions: PartitionParts[]): Buffer {
  const topic = Buffer.from('images');
  return Buffer.concat([
    int(4, 7), // throttle time
    ...(version >= 7 ? [int(2, 0), int(4, 99)] : []),
    int(4, 1),
    int(2, topic.length),
    topic,
    int(4, partitions.length),
    ...partitions.map((parts) => partitionBytes(version, parts)),
  ]);
}

function partitionBytes(version: number, parts: PartitionParts): Buffer {
  const { partition = 3, batches = [], aborted = [] } = parts;
  const records = Buffer.concat(batches);
  return Buffer.concat([
    int(4, partition),
    int(2, 0), // error code
    int(8, 1_000_000), // high watermark
    int(8, 999_999), // last stable offset
    ...(version >= 5 ? [int(8, 0)] : []), // log start offset
    int(4, aborted.length),
    ...aborted.flatMap(({ producerId, firstOffset }) => [int(8, producerId), int(8, firstOffset)]),
    ...(version >= 11 ? [int(4, -1)] : []), // preferred read replica
    int(4, records.length),
    records,
  ]);
}

function int(bytes: 2 | 4 | 8, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 8) buffer.writeBigInt64BE(BigInt(value));
  else buffer.writeIntBE(value, 0, bytes);
  return buffer;
}
