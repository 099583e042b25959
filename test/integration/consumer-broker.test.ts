import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import type { EventSource } from '../../src/consumers/event-source.ts';
import { startLocalKafka, type LocalKafka } from '../../src/demo/local-kafka.ts';
import { committedOffset } from '../support/consumer-group.ts';
import { numbered, offsets, Puller, until } from '../support/puller.ts';
import { openKafkaSource, Tally } from '../support/kafka-source.ts';
import { createTopic, publish, testKafka, uniqueName } from '../support/kafka.ts';

let broker: LocalKafka;
let kafka: Kafka;
const opened: EventSource[] = [];

beforeAll(async () => {
  // A broker of its own: it is killed, and it compacts at once instead of every 15 s.
  broker = await startLocalKafka({ properties: { 'log.cleaner.backoff.ms': 100 } });
  kafka = testKafka({ brokers: broker.bootstrap });
}, 120_000);

afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
});

afterAll(async () => {
  await broker.stop();
});

describe('a broker', () => {
  it('that has compacted a topic leaves gaps which hold nothing up', async () => {
    const topic = await createTopic(kafka, 1, {
      config: {
        'cleanup.policy': 'compact',
        'min.cleanable.dirty.ratio': '0.001',
        'segment.ms': '50',
        'delete.retention.ms': '50',
      },
    });
    for (let round = 0; round < 3; round += 1) {
      const messages = ['a', 'b', 'c'].map((key) => ({ key, value: String(round) }));
      await publish(kafka, topic, messages);
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    // The segment that is being written is never compacted: these close the one before.
    await publish(kafka, topic, [{ key: 'd', value: 'last' }]);
    const read = async (): Promise<{ offsets: number[]; groupId: string }> => {
      const groupId = uniqueName('group');
      const source = openKafkaSource({ kafka, topic, groupId });
      opened.push(source);
      const puller = new Puller(source);
      const taken = [];
      do taken.push(...(await puller.take(1)));
      while (taken.at(-1)?.record.key?.toString() !== 'd');
      for (const delivery of taken) delivery.resolve();
      await source.close();
      return { offsets: offsets(taken), groupId };
    };
    let last = await read();
    await until(async () => (last = await read()).offsets.length < 10);
    expect(last.offsets.at(-1)).toBe(9);
    expect(await committedOffset(kafka, last.groupId, topic, 0)).toBe(10);
  }, 60_000);

  it('that is killed and comes back loses nothing and is read on', async () => {
    const reading = { kafka, topic: await createTopic(kafka, 2), groupId: uniqueName('group') };
    await publish(kafka, reading.topic, numbered(2, 100));
    const source = openKafkaSource(reading);
    opened.push(source);
    const tally = new Tally();
    const work = tally.work(source);
    await until(() => tally.resolved.size > 40);
    await broker.killNode(1);
    await broker.startNode(1);
    await publish(kafka, reading.topic, numbered(2, 50));
    await until(() => tally.resolved.size === 300, 40_000);
    await until(
      () => source.status().partitions.every(({ committed }) => committed === 150),
      20_000,
    );
    expect(await tally.lost(reading)).toEqual([]);
    expect(source.status().alive).toBe(true);
    await source.close();
    await work;
  }, 90_000);
});
