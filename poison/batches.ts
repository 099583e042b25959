/** Whole batches that are hostile: what a record cannot be, its batch can. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { recordBatch, recordBytes, type BatchCodec } from '../test/support/record-batch.ts';
import { seal } from '../suites/raw-producer.ts';
import type { Expected } from './kind.ts';

export interface HostileBatch {
  kind: string;
  expected: Expected;
  records: number;
  build(): Promise<Buffer>;
}

const MB = 1024 * 1024;

/** One record of zeros. The broker expands it piece by piece and keeps none of it. */
function bomb(codec: BatchCodec, size: number): HostileBatch {
  return {
    kind: `batch: ${codec} of ${size / MB} MB`,
    expected: 'dead-letter',
    records: 1,
    build: async () => {
      const record = recordBytes({ offsetDelta: 0, value: Buffer.alloc(size) });
      return seal(await recordBatch({ codec, records: record, recordCount: 1 }));
    },
  };
}

function tiny(codec: BatchCodec, records: number): HostileBatch {
  return {
    kind: `batch: ${records} tiny records (${codec})`,
    expected: 'dead-letter',
    records,
    build: async () => {
      const all = Array.from({ length: records }, (_, offsetDelta) => ({
        offsetDelta,
        value: Buffer.alloc(0),
      }));
      return seal(await recordBatch({ codec, records: all }));
    },
  };
}

/** Sound when it is small: gzip in two members, zstd in two frames. */
function twice(codec: 'gzip' | 'zstd', size: number): HostileBatch {
  return {
    kind: `batch: ${codec} in two pieces of ${size / MB} MB`,
    expected: 'dead-letter',
    records: 1,
    build: async () => {
      const record = recordBytes({ offsetDelta: 0, value: Buffer.alloc(size) });
      const compress = codec === 'gzip' ? gzipSync : zstdCompressSync;
      const half = record.length >> 1;
      const pieces = [record.subarray(0, half), record.subarray(half)].map((part) =>
        compress(part),
      );
      const codecNumber = codec === 'gzip' ? 1 : 4;
      return seal(
        await recordBatch({ codecNumber, records: Buffer.concat(pieces), recordCount: 1 }),
      );
    },
  };
}

/** In a short run fewer of them, and smaller ones. */
export function hostileBatches(isShort: boolean): HostileBatch[] {
  if (isShort) {
    return [
      bomb('gzip', 128 * MB),
      bomb('zstd', 128 * MB),
      bomb('lz4', 80 * MB),
      tiny('gzip', 2_000),
    ];
  }
  return [
    ...(['gzip', 'zstd'] as const).flatMap((codec) => [
      bomb(codec, 300 * MB),
      twice(codec, 250 * MB),
    ]),
    bomb('lz4', 200 * MB),
    bomb('snappy-framed', 100 * MB),
    bomb('gzip', 60 * MB),
    tiny('none', 10_000),
    tiny('zstd', 50_000),
  ];
}
