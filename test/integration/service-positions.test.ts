import { describe, expect, it, jest } from '@jest/globals';
import type { Kafka, Message } from 'kafkajs';
import { withAdmin } from '../../src/kafka/topics.ts';
import { reconcile } from '../../src/reconcile/reconcile.ts';
import { committedOffsets } from '../support/consumer-group.ts';
import { gather } from '../support/gather-verdicts.ts';
import { publish, testKafka } from '../support/kafka.ts';
import { until } from '../support/service.ts';
import { photoEvent, serviceStages } from '../support/service-stage.ts';

jest.setTimeout(180_000);

/** Events named after the moment and the partition that they are published in. */
function events(moment: string, partitions: readonly number[], perPartition = 1): Message[] {
  return partitions.flatMap((partition) =>
    Array.from({ length: perPartition }, (_, n) => ({
      ...photoEvent(`${moment}-${partition}-${n}`),
      partition,
    })),
  );
}

const addPartitions = (kafka: Kafka, topic: string, count: number): Promise<unknown> =>
  withAdmin(kafka, 'adding partitions', (admin) =>
    admin.createPartitions({ topicPartitions: [{ topic, count }] }),
  );

/** Deletes what lies before an offset, as retention does. */
const deleteBefore = (kafka: Kafka, topic: string, partition: number, offset: number) =>
  withAdmin(kafka, 'deleting records', async (admin) => {
    await admin.fetchTopicOffsets(topic); // kafkajs then knows who leads it
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: `${offset}` }] });
  });

describe.each(['at-least-once', 'exactly-once'])('startFrom: latest, %s', (delivery) => {
  const open = serviceStages();

  it('misses nothing that was published since the group began, whatever happens to partitions', async () => {
    const kafka = testKafka();
    const { topics, groupId, start, logs } = await open(kafka, {
      partitions: 2,
      config: { delivery },
      kafka: { startFrom: 'latest', discoveryIntervalMs: 1_000 },
    });
    const { input } = topics;
    await publish(kafka, input, events('history', [0, 1], 3));
    const gathered = gather(kafka, topics.verdicts);
    const judged = (): string[] => gathered.verdicts.map(({ eventId }) => eventId ?? '').sort();
    const positions = async (): Promise<number[]> => {
      const committed = await committedOffsets(kafka, groupId, input);
      return [...committed].sort(([a], [b]) => a - b).map(([, offset]) => offset);
    };
    const expected: string[] = [];
    const send = async (messages: Message[], client = kafka): Promise<void> => {
      await publish(client, input, messages);
      expected.push(...messages.map(({ key }) => String(key)));
    };
    const isJudged = (): Promise<void> =>
      until(() => judged().length >= expected.length, { explain: logs });

    const first = await start();
    await until(async () => (await positions()).every((offset) => offset === 3), { explain: logs });
    const began = Date.now();
    await send(events('while-up', [0]));
    await isJudged();
    expect(await first.end('SIGTERM')).toBe(0);

    await send(events('while-down', [0, 1]));
    const second = await start();
    await isJudged();
    await addPartitions(kafka, input, 4);
    await send(events('added', [2, 3]), testKafka()); // a client that has not seen the topic smaller
    await isJudged();
    expect(await second.end('SIGTERM')).toBe(0);

    // Partition 1 loses its next two records, partition 3 all that it has.
    const before = await positions();
    await publish(kafka, input, events('deleted', [1], 2));
    await publish(kafka, input, events('deleted', [3], 2));
    await send(events('kept', [0, 1, 2]));
    await deleteBefore(kafka, input, 1, (before[1] ?? 0) + 2);
    await deleteBefore(kafka, input, 3, (before[3] ?? 0) + 2);
    const third = await start();
    await isJudged();
    await send(events('in-the-end', [0, 1, 2, 3]));
    await isJudged();
    expect(await third.end('SIGTERM')).toBe(0);
    await gathered.stop();

    expect(judged()).toEqual(expected.toSorted());
    expect(third.output().match(/"records":2\b/g)).toHaveLength(2);
    const report = await reconcile({
      kafka,
      input: topics.input,
      topics: { ...topics, routes: {} },
      groupId,
      window: { fromMs: began },
    });
    expect(report).toMatchObject({ proven: true, missing: { count: 0 }, duplicates: 0 });
    expect(report.ranges.map(({ from }) => from)).toEqual([3, 6, 0, 3]);
  });
});
