import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { createKeyPartitioner, partitionOfKey } from '../../src/kafka/key-partitioner.ts';

const metadataOf = (partitions: number) =>
  Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 0,
    replicas: [],
    isr: [],
  }));

describe('the partition of a key', () => {
  it("is the one that kafkajs' default partitioner chooses", () => {
    const choose = Partitioners.DefaultPartitioner();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 5_000 }),
        (bytes, partitions) => {
          const key = Buffer.from(bytes);
          const partitionMetadata = metadataOf(partitions);
          const args = { topic: 't', partitionMetadata, message: { key, value: null } };
          expect(partitionOfKey(key, partitions)).toBe(choose(args));
          expect(createKeyPartitioner()(args)).toBe(choose(args));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    // org.apache.kafka.common.utils.UtilsTest, testMurmur2
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ])('of %s follows from the hash that the Java client has', (key, hash) => {
    expect(partitionOfKey(Buffer.from(key), 2 ** 31)).toBe(hash & 0x7fffffff);
  });

  it('is found in time proportional to its length: a key of 900 kB holds nothing up', () => {
    const startedAt = performance.now();
    partitionOfKey(Buffer.alloc(900_000, 7), 12);
    // kafkajs takes more than a minute.
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('leaves a partition that a message names', () => {
    const message = { key: Buffer.from('a'), value: null, partition: 3 };
    expect(createKeyPartitioner()({ topic: 't', partitionMetadata: metadataOf(9), message })).toBe(
      3,
    );
  });

  it('takes the partitions in turn without a key', () => {
    const choose = createKeyPartitioner();
    const message = { key: null, value: null };
    const chosen = [1, 2, 3].map(() =>
      choose({ topic: 't', partitionMetadata: metadataOf(3), message }),
    );
    expect(chosen.toSorted()).toEqual([0, 1, 2]);
  });
});
