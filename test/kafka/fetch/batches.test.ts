import { describe, expect, it } from '@jest/globals';
import { marker, recordBatch, type RecordParts } from '../../support/record-batch.ts';
import { decode, outcomes } from './decoding.ts';

const records = (count: number): RecordParts[] =>
  Array.from({ length: count }, (_, offsetDelta) => ({
    offsetDelta,
    value: Buffer.from(`value ${offsetDelta}`),
  }));

describe('the batches of a partition', () => {
  it('end where the response was cut', async () => {
    const whole = await recordBatch({ baseOffset: 10, records: records(2) });
    const next = await recordBatch({ baseOffset: 12, records: records(3) });
    for (const length of [0, 1, 16, 17, 60, 61, next.length - 1]) {
      const partition = await decode([whole, next.subarray(0, length)]);
      expect(outcomes(partition)).toEqual([
        [10, 'sound'],
        [11, 'sound'],
      ]);
      expect([partition.nextOffset, partition.errorCode]).toEqual([12, 0]);
    }
    const { nextOffset, errorCode, messages } = await decode([next.subarray(0, 100)]);
    expect([nextOffset, errorCode, messages]).toEqual([undefined, 0, []]);
  });

  it('move the position past offsets that compaction has emptied', async () => {
    const compacted = await recordBatch({
      baseOffset: 20,
      records: [{ offsetDelta: 3 }, { offsetDelta: 7 }],
      lastOffsetDelta: 9,
    });
    const empty = await recordBatch({ baseOffset: 30, records: [], lastOffsetDelta: 4 });
    const partition = await decode([compacted, empty]);
    expect(outcomes(partition)).toEqual([
      [23, 'sound'],
      [27, 'sound'],
      [29, 'control'],
      [34, 'control'],
    ]);
    expect(partition.nextOffset).toBe(35);
  });

  it('hide markers and aborted records, which are not even decompressed', async () => {
    const aborted = { producerId: 5, inTransaction: true };
    const partition = await decode(
      [
        await recordBatch({ ...aborted, records: Buffer.from('junk'), lastOffsetDelta: 2 }),
        await recordBatch({
          baseOffset: 3,
          producerId: 6,
          inTransaction: true,
          records: records(1),
        }),
        await marker(4, 5, 'abort'),
        await recordBatch({ ...aborted, baseOffset: 5, records: records(1) }),
        await marker(6, 6, 'commit'),
      ],
      {},
      { aborted: [{ producerId: 5, firstOffset: 0 }] },
    );
    expect(outcomes(partition)).toEqual([
      [2, 'control'],
      [3, 'sound'],
      [4, 'control'],
      [5, 'sound'],
      [6, 'control'],
    ]);
    expect(partition.nextOffset).toBe(7);
    expect(partition.messages[1]?.batchContext).toEqual({ producerId: '6', inTransaction: true });
  });

  it('of an old message format are a fault each', async () => {
    const old = await recordBatch({ baseOffset: 8, magic: 1, records: records(1) });
    const partition = await decode([old]);
    expect(outcomes(partition)).toEqual([[8, 'event_batch_corrupt']]);
    expect(partition.messages[0]?.fault?.message).toMatch(/message format 1/);
  });

  it.each([
    ['a magic of the future', 3, 0],
    ['a negative offset', 2, -1],
    ['an offset beyond 2^53', 2, 2n ** 60n],
  ])('whose end or offsets are unknown are CORRUPT_MESSAGE when first: %s', async (...args) => {
    const [, magic, baseOffset] = args;
    const broken = await recordBatch({ baseOffset, magic, records: records(1) });
    expect(await decode([broken])).toMatchObject({ errorCode: 2, nextOffset: undefined });
    const sound = await recordBatch({ baseOffset: 0, records: records(1) });
    const partition = await decode([sound, broken]);
    expect(partition.errorCode).toBe(0);
    expect(outcomes(partition)).toEqual([[0, 'sound']]);
    expect(partition.nextOffset).toBe(1);
  });

  it.each([
    [
      'a codec of no meaning',
      { codecNumber: 6, records: records(3) },
      /codec 6\): codec 6 is unknown/,
    ],
    [
      'more records than offsets',
      { records: records(3), recordCount: 4 },
      /4 records for 3 offsets/,
    ],
    ['a negative number of records', { records: records(3), recordCount: -1 }, /-1 records for 3/],
    [
      'fewer records than are there',
      { records: records(3), recordCount: 0 },
      /bytes follow its 0 records/,
    ],
  ])('are a fault for each offset: %s', async (_name, parts, message) => {
    const partition = await decode([await recordBatch({ baseOffset: 50, ...parts })]);
    expect(outcomes(partition)).toEqual(
      [50, 51, 52].map((offset) => [offset, 'event_batch_corrupt']),
    );
    expect(partition.messages[0]?.fault?.message).toMatch(message);
  });

  it('whose last offset lies before the first are one fault', async () => {
    const batch = await recordBatch({ baseOffset: 50, records: records(1), lastOffsetDelta: -7 });
    const partition = await decode([batch]);
    expect(outcomes(partition)).toEqual([[50, 'event_batch_corrupt']]);
    expect(partition.nextOffset).toBe(51);
  });

  it('make faults as they are asked for, so that two billion take no memory', async () => {
    const batch = await recordBatch({
      records: Buffer.from('junk'),
      recordCount: 2 ** 31 - 1,
      lastOffsetDelta: 2 ** 31 - 2,
    });
    const { records: faults, nextOffset } = await decode([batch]);
    const first = faults[Symbol.iterator]()
      .take(3)
      .map(({ position, fault }) => [position, fault?.code]);
    expect([...first]).toEqual([0, 1, 2].map((offset) => [offset, 'event_batch_corrupt']));
    expect(nextOffset).toBe(2 ** 31 - 1);
  });

  it('say what memory their records take', async () => {
    const value = Buffer.alloc(1_000);
    const batch = await recordBatch({ codec: 'zstd', records: [{ offsetDelta: 0, value }] });
    const { bytes } = await decode([batch]);
    expect(bytes).toBeGreaterThan(1_200);
    expect(bytes).toBeLessThan(1_250);
  });
});
