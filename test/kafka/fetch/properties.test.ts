import { createRequire } from 'node:module';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { readBatchHeader } from '../../../src/kafka/fetch/batch-header.ts';
import { ByteReader } from '../../../src/kafka/fetch/byte-reader.ts';
import { toKafkaRecord, type FetchedMessage } from '../../../src/kafka/fetch/fetched-message.ts';
import type { FetchedRecords } from '../../../src/kafka/fetch/record-set.ts';
import {
  lz4,
  recordBatch,
  recordBytes,
  snappy,
  varint,
  type BatchCodec,
} from '../../support/record-batch.ts';
import { decode } from './decoding.ts';

const require = createRequire(import.meta.url);
/** A mutated header may announce two billion offsets. */
const MOST = 200;
const codec = fc.constantFrom<BatchCodec>('none', 'gzip', 'snappy', 'snappy-framed', 'lz4', 'zstd');
const bytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)));
const parts = fc.record({
  gap: fc.nat({ max: 3 }),
  timestampDelta: fc.integer(),
  key: bytes,
  value: bytes,
  headers: fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 8 }), bytes), { maxLength: 4 }),
});
const records = fc.array(parts, { minLength: 1, maxLength: 12 }).map((list) => {
  let offset = -1;
  return list.map(({ gap, ...rest }) => ({ ...rest, offsetDelta: (offset += 1 + gap) }));
});
const baseOffset = fc.nat({ max: 2 ** 40 });

describe('the fetch decoder', () => {
  it('gives back what was written, whatever the codec and the gaps', async () => {
    await fc.assert(
      fc.asyncProperty(codec, baseOffset, records, async (codec, baseOffset, records) => {
        const baseTimestamp = 1_700_000_000_000;
        const batch = await recordBatch({ codec, baseOffset, baseTimestamp, records });
        const partition = await decode([batch]);
        const read = [...partition.records].map((message) => toKafkaRecord('images', 3, message));
        expect(read).toEqual(
          records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
            topic: 'images',
            partition: 3,
            offset: baseOffset + offsetDelta,
            timestamp: baseTimestamp + timestampDelta,
            key,
            value,
            headers: headers.map(([name, value]) => ({ name: wellFormed(name), value })),
          })),
        );
      }),
      { numRuns: 100 },
    );
  }, 30_000);

  it('never throws, and gives each offset at most once, in order and within its batch, whatever the bytes', async () => {
    const places = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        codec,
        baseOffset,
        records,
        places,
        async (codec, baseOffset, records, places) => {
          const batch = await recordBatch({ codec, baseOffset, records });
          for (const [at, byte] of places) batch[at % batch.length] = byte;
          const framing = readBatchHeader(batch, 0);
          const partition = await decode([batch]);
          const seen = take(partition.records, MOST);
          if (framing.kind === 'partial' || framing.kind === 'broken') {
            expect(seen).toEqual([]);
            expect(partition.errorCode).toBe(framing.kind === 'broken' ? 2 : 0);
            return;
          }
          const { header } = framing;
          const offsets = seen.map(({ position }) => position);
          expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
          expect(offsets[0]).toBeGreaterThanOrEqual(header.baseOffset);
          expect(offsets.at(-1)).toBeLessThanOrEqual(header.lastOffset);
          if (seen.length < MOST) expect(offsets.at(-1)).toBe(header.lastOffset);
          for (const { time } of seen) expect(new Date(time).getTime()).toBe(time);
        },
      ),
      { numRuns: 400 },
    );
  }, 30_000);

  it('never throws on arbitrary bytes in place of batches or of records', async () => {
    const junk = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    await fc.assert(
      fc.asyncProperty(
        junk,
        fc.nat({ max: 7 }),
        fc.integer(),
        async (bytes, codecNumber, count) => {
          take((await decode([bytes])).records, MOST);
          const batch = await recordBatch({
            codecNumber,
            records: bytes,
            recordCount: count,
            lastOffsetDelta: Math.max(0, count - 1),
          });
          const seen = take((await decode([batch])).records, MOST);
          expect(seen.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 200 },
    );
  }, 30_000);

  it('does work in proportion to the bytes of a batch, whatever it announces', async () => {
    // A header may take two bytes, a record seven.
    const headers = (count: number): Buffer => {
      const body = Buffer.concat([
        Buffer.from([0, 0, 0, 1, 1]),
        varint(count),
        Buffer.alloc(2 * count),
      ]);
      return Buffer.concat([varint(body.length), body]);
    };
    const empty = (count: number): Buffer =>
      Buffer.concat(
        Array.from({ length: count }, (_, offsetDelta) => recordBytes({ offsetDelta })),
      );
    for (const records of [headers(2_000), headers(20_000), empty(2_000), empty(20_000)]) {
      expect(await numbersRead(records)).toBeLessThan(records.length);
    }
  });

  it('agrees with kafkajs on what kafkajs writes', async () => {
    const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as KafkajsBatch;
    const Record = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as KafkajsRecord;
    const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => object;
    const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (
      decoder: object,
    ) => Promise<{ records: FetchedMessage[] }>;
    registerUnboundedCodecs();
    const text = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.string()), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 4 }),
        fc.array(text, { minLength: 1, maxLength: 5 }),
        async (compression, lists) => {
          const { buffer } = await RecordBatch({
            compression,
            firstTimestamp: 1_700_000_000_000,
            maxTimestamp: 1_700_000_000_009,
            lastOffsetDelta: lists.length - 1,
            records: lists.map((list, offsetDelta) =>
              Record({
                offsetDelta,
                timestampDelta: offsetDelta,
                key: Buffer.from(`key ${offsetDelta}`),
                value: offsetDelta === 0 ? null : Buffer.from(JSON.stringify(list)),
                headers: Object.fromEntries(list),
              }),
            ),
          });
          const theirs = await decodeBatch(new Decoder(buffer));
          const ours = await decode([buffer]);
          expect(ours.messages.map(kafkajsFields)).toEqual(theirs.records.map(kafkajsFields));
        },
      ),
      { numRuns: 50 },
    );
  }, 30_000);
});

/** How many numbers are read of a batch that announces more records than it has. */
async function numbersRead(records: Buffer): Promise<number> {
  const batch = await recordBatch({ records, recordCount: 2 ** 30, lastOffsetDelta: 2 ** 30 });
  const partition = await decode([batch]);
  const varint = jest.spyOn(ByteReader.prototype, 'varint');
  try {
    for (const { fault } of partition.records) if (fault?.code === 'event_batch_corrupt') break;
    return varint.mock.calls.length;
  } finally {
    varint.mockRestore();
  }
}

interface KafkajsBatch {
  RecordBatch: (options: object) => Promise<{ buffer: Buffer }>;
}
type KafkajsRecord = (options: object) => object;

function kafkajsFields(message: FetchedMessage) {
  const { offset, timestamp, key, value, attributes, magicByte, isControlRecord } = message;
  const { producerId, inTransaction } = message.batchContext;
  const headers = Object.fromEntries(Object.entries(message.headers));
  const context = { producerId, inTransaction };
  return {
    offset,
    timestamp,
    key,
    value,
    attributes,
    magicByte,
    isControlRecord,
    headers,
    context,
  };
}

function registerUnboundedCodecs(): void {
  const zlib = (pack: (bytes: Buffer) => Buffer, unpack: (bytes: Buffer) => Buffer) => ({
    compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(pack(buffer)),
    decompress: (buffer: Buffer) => Promise.resolve(unpack(buffer)),
  });
  const { CompressionCodecs } = kafkajs;
  CompressionCodecs[1] = () => zlib(gzipSync, gunzipSync);
  CompressionCodecs[2] = snappy;
  CompressionCodecs[3] = lz4;
  CompressionCodecs[4] = () => zlib(zstdCompressSync, zstdDecompressSync);
}

function take(records: FetchedRecords, most: number): FetchedMessage[] {
  return [...records[Symbol.iterator]().take(most)];
}

/** A lone surrogate has no UTF-8. */
function wellFormed(text: string): string {
  return text.toWellFormed();
}
