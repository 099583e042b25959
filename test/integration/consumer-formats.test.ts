import { afterEach, describe, expect, it } from '@jest/globals';
import type { EventSource } from '../../src/consumers/event-source.ts';
import { COMPRESSION } from '../../src/kafka/codecs.ts';
import { committedOffset } from '../support/consumer-group.ts';
import { offsets, Puller, until } from '../support/puller.ts';
import { openKafkaSource, type GroupReading } from '../support/kafka-source.ts';
import { createTopic, publish, testKafka, uniqueName } from '../support/kafka.ts';
import { transact } from '../support/transactions.ts';

const opened: EventSource[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
});

function open(reading: GroupReading): Puller {
  const source = openKafkaSource(reading);
  opened.push(source);
  return new Puller(source);
}

async function emptyTopic(): Promise<GroupReading> {
  const kafka = testKafka();
  return { kafka, topic: await createTopic(kafka), groupId: uniqueName('group') };
}

describe('what other producers write', () => {
  it('is read whatever it was compressed with', async () => {
    const reading = await emptyTopic();
    const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
    for (const name of names) {
      const value = Buffer.from(name.repeat(1_000));
      await publish(reading.kafka, reading.topic, [{ value }, { value }], COMPRESSION[name]);
    }
    const taken = await open(reading).take(10);
    expect(taken.map(({ record }) => String(record.value).slice(-4))).toEqual(
      names.flatMap((name) => [name.repeat(2).slice(-4), name.repeat(2).slice(-4)]),
    );
    expect(taken.every(({ record }) => (record.value?.length ?? 0) >= 3_000)).toBe(true);
  });

  it('is committed past the control record that ends a transaction, without those aborted', async () => {
    const reading = await emptyTopic();
    // offsets: 0, 1, marker 2, aborted 3 and its marker 4, 5, marker 6
    await transact(reading.kafka, reading.topic, [{ value: 'a' }, { value: 'b' }], 'commit');
    await transact(reading.kafka, reading.topic, [{ value: 'lost' }], 'abort');
    await transact(reading.kafka, reading.topic, [{ value: 'c' }], 'commit');
    const puller = open(reading);
    const taken = await puller.take(3);
    expect(offsets(taken)).toEqual([0, 1, 5]);
    for (const delivery of taken) delivery.resolve();
    await until(async () => (await committed(reading)) === 7);
    await until(() => puller.source.status().partitions[0]?.lag === 0);

    // A fetch of nothing but an aborted transaction: offsets 7 and 8.
    await transact(reading.kafka, reading.topic, [{ value: 'lost too' }], 'abort');
    const waiting = puller.next();
    await until(async () => (await committed(reading)) === 9);
    await puller.source.stop();
    expect(await waiting).toBeUndefined();
  }, 30_000);
});

function committed({ kafka, groupId, topic }: GroupReading): Promise<number> {
  return committedOffset(kafka, groupId, topic, 0);
}
