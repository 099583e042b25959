import { describe, expect, it } from '@jest/globals';
import { CompressionTypes } from 'kafkajs';
import { createTopics, missingTopics, withAdmin } from '../../src/kafka/topics.ts';
import { createTopic, publish, readAll, testKafka, uniqueName } from '../support/kafka.ts';

const kafka = testKafka();

describe('topics', () => {
  it('creates what is missing, leaves what is there, and says which was which', async () => {
    const there = await createTopic(kafka, 2);
    const absent = uniqueName('absent');
    expect(await missingTopics(kafka, [there, absent, absent])).toEqual([absent]);

    const outcome = await createTopics(kafka, [
      { topic: there, partitions: 5 },
      { topic: absent, partitions: 3, config: { 'max.message.bytes': '123456' } },
    ]);

    expect(outcome).toEqual({ created: [absent], existed: [there] });
    expect(await missingTopics(kafka, [there, absent])).toEqual([]);
    const partitions = await withAdmin(kafka, 'describing', async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [there, absent] });
      return Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions.length]));
    });
    expect(partitions).toEqual({ [there]: 2, [absent]: 3 });
  });
});

describe('codecs', () => {
  it.each([
    ['gzip', CompressionTypes.GZIP],
    ['snappy', CompressionTypes.Snappy],
    ['lz4', CompressionTypes.LZ4],
    ['zstd', CompressionTypes.ZSTD],
  ])('reads %s back, also as the broker itself compresses it', async (name, compression) => {
    const value = Buffer.from('verdict '.repeat(2_000));
    // The broker decompresses what we send and compresses it anew: both sides must agree on the format.
    const theirs = await createTopic(kafka, 1, { config: { 'compression.type': name } });
    const ours = await createTopic(kafka, 1, {
      config: { 'compression.type': name === 'gzip' ? 'zstd' : 'gzip' },
    });
    await publish(kafka, theirs, [{ value }]);
    await publish(kafka, ours, [{ value }], compression);
    for (const topic of [theirs, ours]) {
      const [message] = await readAll(kafka, topic);
      expect(message?.value?.equals(value)).toBe(true);
    }
  });
});
