import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import type { KafkaRecord } from '../../src/kafka/record.ts';
import { rangesOf, readRanges, type OffsetRange } from '../../src/kafka/read-range.ts';
import { withAdmin } from '../../src/kafka/topics.ts';
import { until } from '../support/puller.ts';
import { createTopic, publish, testKafka } from '../support/kafka.ts';
import { openTransaction, transact } from '../support/transactions.ts';

let kafka: Kafka;
beforeAll(() => {
  kafka = testKafka();
});

async function read(ranges: OffsetRange[], stallTimeoutMs = 20_000): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = [];
  await readRanges({
    kafka,
    ranges,
    stallTimeoutMs,
    onRecord: (record) => void records.push(record),
  });
  return records;
}

const numbered = (count: number, partition = 0) =>
  Array.from({ length: count }, (_, n) => ({ partition, value: String(n) }));

const text = (records: KafkaRecord[]) => records.map(({ value }) => String(value)).join(' ');

describe('reading ranges of offsets', () => {
  it('reads several topics and their empty partitions, each in order and up to its end only', async () => {
    const [one, two] = [await createTopic(kafka, 3), await createTopic(kafka)];
    await publish(kafka, one, [...numbered(500, 0), ...numbered(300, 2)]);
    await publish(kafka, two, numbered(50));
    const ranges = await rangesOf(kafka, [one, two, one]);
    expect(ranges.map(({ from, to }) => [from, to])).toEqual([
      [0, 500],
      [0, 0],
      [0, 300],
      [0, 50],
    ]);
    await publish(kafka, two, [{ value: 'too late' }]);

    const records = await read(ranges);
    const groups = Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`);
    expect(
      new Map([...groups].map(([key, all]) => [key, all.map(({ offset }) => offset)])),
    ).toEqual(
      new Map([
        [`${one}/0`, [...Array(500).keys()]],
        [`${one}/2`, [...Array(300).keys()]],
        [`${two}/0`, [...Array(50).keys()]],
      ]),
    );
    expect(await read([{ topic: two, partition: 0, from: 20, to: 23 }])).toMatchObject([
      { offset: 20, value: Buffer.from('20') },
      { offset: 21 },
      { offset: 22 },
    ]);
  });

  it('ends at markers and aborted transactions', async () => {
    const topic = await createTopic(kafka);
    await publish(kafka, topic, [{ value: 'a' }]);
    await transact(kafka, topic, [{ value: 'b' }], 'commit');
    expect(text(await read(await rangesOf(kafka, [topic])))).toBe('a b');
    await transact(kafka, topic, [{ value: 'lost' }, { value: 'lost' }], 'abort');
    const ranges = await rangesOf(kafka, [topic]);
    expect(ranges).toMatchObject([{ from: 0, to: 6 }]);
    expect(text(await read(ranges))).toBe('a b');
    expect(await read([{ topic, partition: 0, from: 3, to: 6 }])).toEqual([]);
  });

  it('gives up, and says why, when a transaction stays open', async () => {
    const topic = await createTopic(kafka);
    await publish(kafka, topic, [{ value: 'a' }]);
    const transaction = await openTransaction(kafka, topic, [{ value: 'b' }]);
    expect(await rangesOf(kafka, [topic])).toMatchObject([{ from: 0, to: 1 }]);
    const ranges = [{ topic, partition: 0, from: 0, to: 2 }];
    await expect(read(ranges, 1_500)).rejects.toMatchObject({
      code: 'range_unreadable',
      message: expect.stringContaining(`${topic}/0 at 1 of 2`) as unknown,
    });
    await transaction.end('commit');
    // The broker says that it has ended a little before it has.
    await until(async () => (await rangesOf(kafka, [topic]))[0]?.to === 3);
    expect(text(await read(ranges))).toBe('a b');
  });

  it('begins where retention has cut the head off', async () => {
    const topic = await createTopic(kafka);
    await publish(kafka, topic, numbered(10));
    const before = await rangesOf(kafka, [topic]);
    await withAdmin(kafka, 'deleting', async (admin) => {
      await admin.fetchTopicOffsets(topic); // kafkajs deletes nothing of a topic it has not heard of
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] });
    });
    const ranges = await rangesOf(kafka, [topic]);
    expect(ranges).toMatchObject([{ from: 7, to: 10 }]);
    expect(text(await read(ranges))).toBe('7 8 9');
    expect(text(await read(before))).toBe('7 8 9'); // cut off between the two questions
  });

  it('keeps to a window of time', async () => {
    const topic = await createTopic(kafka);
    await publish(
      kafka,
      topic,
      [1_000, 2_000, 3_000, 4_000].map((time) => ({ value: `${time}`, timestamp: `${time}` })),
    );
    const window = async (fromMs?: number, toMs?: number) =>
      text(await read(await rangesOf(kafka, [topic], { fromMs, toMs })));
    expect(await window(2_000, 4_000)).toBe('2000 3000');
    expect(await window(2_500)).toBe('3000 4000');
    expect(await window(undefined, 1_500)).toBe('1000');
    expect(await window(9_000)).toBe('');
    expect(await window(4_000, 2_000)).toBe('');
  });

  it('makes no group', async () => {
    const topic = await createTopic(kafka);
    await publish(kafka, topic, numbered(1));
    const ids = async (): Promise<string[]> => {
      const { groups } = await withAdmin(kafka, 'listing groups', (admin) => admin.listGroups());
      return groups.map(({ groupId }) => groupId).filter((id) => id.startsWith('moderato-range'));
    };
    let during: string[] = ['not asked'];
    await readRanges({
      kafka,
      ranges: await rangesOf(kafka, [topic]),
      onRecord: async () => void (during = await ids()),
    });
    expect([during, await ids()]).toEqual([[], []]);
  });

  it('ends with what a record could not be used for, and when it is told to stop', async () => {
    const topic = await createTopic(kafka);
    await publish(kafka, topic, numbered(5));
    const ranges = await rangesOf(kafka, [topic]);
    const seen: number[] = [];
    const onRecord = ({ offset }: KafkaRecord) => {
      seen.push(offset);
      if (offset === 2) throw new TypeError('full');
    };
    await expect(readRanges({ kafka, ranges, onRecord })).rejects.toThrow(new TypeError('full'));
    expect(seen).toEqual([0, 1, 2]);

    const stopping = new AbortController();
    const stopped = readRanges({
      kafka,
      ranges,
      onRecord: () => stopping.abort(),
      signal: stopping.signal,
    });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  });

  it('says which topic there is not', async () => {
    await expect(rangesOf(kafka, ['nowhere'])).rejects.toMatchObject({ code: 'topic_missing' });
  });
});
