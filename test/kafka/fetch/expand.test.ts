import { describe, expect, it } from '@jest/globals';
import { expand, ExpandsTooFarError } from '../../../src/kafka/fetch/expand.ts';
import { lz4ExpandedSize } from '../../../src/kafka/fetch/lz4-size.ts';
import { compress, recordBatch, recordBytes, type BatchCodec } from '../../support/record-batch.ts';
import { decode, outcomes } from './decoding.ts';

const MIB = 1024 * 1024;
const NUMBERS = { none: 0, gzip: 1, snappy: 2, 'snappy-framed': 2, lz4: 3, zstd: 4 };
const CODECS: Array<Exclude<BatchCodec, 'none'>> = [
  'gzip',
  'snappy',
  'snappy-framed',
  'lz4',
  'zstd',
];

/** Bytes that compress to about half. */
function mixed(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let seed = 1;
  for (let at = 0; at < length; at += 1) {
    seed = (seed * 48_271) % 0x7fffffff;
    bytes[at] = seed & 0x0f;
  }
  return bytes;
}

describe.each(CODECS)('%s', (codec) => {
  const number = NUMBERS[codec];

  it.each([0, 1, 1_000, 300_000])('gives %i bytes back', async (length) => {
    const bytes = mixed(length);
    const compressed = await compress(codec, bytes);
    expect((await expand(number, compressed, Math.max(length, 1))).equals(bytes)).toBe(true);
  });

  it('expands to the limit and not to one byte more', async () => {
    const compressed = await compress(codec, Buffer.alloc(MIB, 'ab'));
    expect(await expand(number, compressed, MIB)).toHaveLength(MIB);
    await expect(expand(number, compressed, MIB - 1)).rejects.toThrow(ExpandsTooFarError);
  });

  it('takes no memory for what expands to 64 MiB where 1 MiB is the limit', async () => {
    const bomb = await compress(codec, Buffer.alloc(64 * MIB));
    const before = process.memoryUsage();
    await expect(expand(number, bomb, MIB)).rejects.toThrow(ExpandsTooFarError);
    const { rss, arrayBuffers } = process.memoryUsage();
    expect(Math.max(rss - before.rss, arrayBuffers - before.arrayBuffers)).toBeLessThan(16 * MIB);
  });

  it('refuses bytes that it did not write', async () => {
    const junk = Buffer.from('these are not compressed bytes at all');
    await expect(expand(number, junk, MIB)).rejects.toThrow();
  });

  it('makes a batch over the limit a fault for each offset and reads the next batch', async () => {
    const body = recordBytes({ offsetDelta: 0, value: Buffer.alloc(2 * MIB) });
    const parts = { codec, records: body, recordCount: 3, lastOffsetDelta: 2 };
    const batches = [
      await recordBatch({ baseOffset: 7, ...parts }),
      await recordBatch({ baseOffset: 10, codec, records: [{ offsetDelta: 0 }] }),
    ];
    const partition = await decode(batches, { maxBatchBytes: MIB });
    expect(outcomes(partition)).toEqual([
      ...[7, 8, 9].map((offset) => [offset, 'event_batch_too_large']),
      [10, 'sound'],
    ]);
    const size = (batches[0]?.length ?? 0) - 61;
    expect(partition.messages[0]?.fault?.message).toBe(
      `reading the batch of offsets 7 to 9 (codec ${codec.split('-')[0]}): its ${size} bytes expand to more than 1048576; publish in smaller batches`,
    );
  });

  it('makes a damaged batch a fault for each offset', async () => {
    const batch = await recordBatch({
      baseOffset: 7,
      codec: 'none',
      codecNumber: number,
      records: Buffer.alloc(40, 0xee),
      recordCount: 2,
      lastOffsetDelta: 1,
    });
    expect(outcomes(await decode([batch]))).toEqual([
      [7, 'event_batch_corrupt'],
      [8, 'event_batch_corrupt'],
    ]);
  });
});

describe('an LZ4 frame', () => {
  it('of small blocks in a large frame is measured exactly, not by its largest block', async () => {
    const whole = mixed(100_000);
    const { length } = whole;
    const frame = await compress('lz4', whole);
    expect(lz4ExpandedSize(frame, length)).toBe(length);
    expect(lz4ExpandedSize(frame, length - 1)).toBe(length);
    expect(lz4ExpandedSize(frame, 1e9)).toBeGreaterThanOrEqual(length);
  });

  it('that announces more than the limit is refused before there is room for it', async () => {
    // Flags: version 1, independent blocks, content size; then a content size of 2^60.
    const frame = Buffer.from('04224d1868400000000000000010' + '00' + '00000000', 'hex');
    await expect(expand(3, frame, MIB)).rejects.toThrow(ExpandsTooFarError);
  });
});

describe('snappy framing', () => {
  const header = Buffer.from('82534e41505059000000000100000001', 'hex');
  const chunk = (bytes: Buffer, size = bytes.length): Buffer =>
    Buffer.concat([Buffer.from(new Uint32Array([size]).buffer).reverse(), bytes]);

  it('is refused when a frame lies within a frame, whose size is announced nowhere', async () => {
    const inner = await compress('snappy-framed', Buffer.alloc(1_000));
    await expect(expand(2, Buffer.concat([header, chunk(inner)]), MIB)).rejects.toThrow(RangeError);
  });

  it('is refused when a chunk is shorter than announced', async () => {
    const bytes = Buffer.concat([header, chunk(Buffer.from([1, 0, 0]), 50)]);
    await expect(expand(2, bytes, MIB)).rejects.toThrow(RangeError);
  });

  it('adds up what its chunks announce', async () => {
    const half = await compress('snappy', Buffer.alloc(MIB / 2 + 1));
    const bytes = Buffer.concat([header, chunk(half), chunk(half)]);
    await expect(expand(2, bytes, MIB)).rejects.toThrow(ExpandsTooFarError);
    expect(await expand(2, bytes, MIB + 2)).toHaveLength(MIB + 2);
  });

  it('takes a length of 2^35 for what it is', async () => {
    const bytes = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f]);
    await expect(expand(2, bytes, MIB)).rejects.toThrow(ExpandsTooFarError);
  });
});

describe('a response', () => {
  it('stops expanding when its budget is used up, and the next fetch goes on from there', async () => {
    const value = Buffer.alloc(MIB);
    const batches = await Promise.all(
      [0, 1, 2, 3].map((baseOffset) =>
        recordBatch({ baseOffset, codec: 'zstd', records: [{ offsetDelta: 0, value }] }),
      ),
    );
    const limits = { maxBatchBytes: 2 * MIB, maxResponseBytes: 1.5 * MIB };
    const partition = await decode(batches, limits);
    expect(outcomes(partition).map(([offset]) => offset)).toEqual([0, 1]);
    expect(partition.nextOffset).toBe(2);
    const rest = await decode(batches.slice(2), limits);
    expect(outcomes(rest).map(([offset]) => offset)).toEqual([2, 3]);
  });

  it('counts a batch over the limit against the budget: it was expanded as far as the limit', async () => {
    const records = Buffer.alloc(3 * MIB);
    const batches = [
      await recordBatch({ codec: 'gzip', records }),
      await recordBatch({ baseOffset: 1, codec: 'gzip', records: [{ offsetDelta: 0 }] }),
    ];
    const partition = await decode(batches, { maxBatchBytes: MIB, maxResponseBytes: MIB });
    expect(outcomes(partition)).toEqual([[0, 'event_batch_too_large']]);
    expect(partition.nextOffset).toBe(1);
  });
});
