import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import type { Delivery, EventSource } from '../../src/consumers/event-source.ts';
import type { Logger } from '../../src/logger.ts';
import { withAdmin } from '../../src/kafka/topics.ts';
import { committedOffset, committedOffsets } from '../support/consumer-group.ts';
import { createTopic, publish, testKafka, uniqueName } from '../support/kafka.ts';
import { openKafkaSource, type GroupReading } from '../support/kafka-source.ts';
import { numbered, offsets, Puller, until } from '../support/puller.ts';

// A broker takes its time on a busy machine.
jest.setTimeout(60_000);

const opened: EventSource[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
});

function open(...args: Parameters<typeof openKafkaSource>): EventSource {
  const source = openKafkaSource(...args);
  opened.push(source);
  return source;
}

/** Resolves all that a source delivers; `partition/offset` of each. */
function consume(source: EventSource): string[] {
  const seen: string[] = [];
  void (async () => {
    for await (const delivery of source.deliveries()) {
      seen.push(placeOf(delivery));
      delivery.resolve();
    }
  })();
  return seen;
}

function placeOf({ record }: Delivery): string {
  return `${record.partition}/${record.offset}`;
}

async function topicOf(partitions: number, perPartition = 0): Promise<GroupReading> {
  const kafka = testKafka();
  const topic = await createTopic(kafka, partitions);
  if (perPartition > 0) await publish(kafka, topic, numbered(partitions, perPartition));
  return { kafka, topic, groupId: uniqueName('group') };
}

const admin = <T>(kafka: Kafka, work: Parameters<typeof withAdmin<T>>[2]): Promise<T> =>
  withAdmin(kafka, 'preparing a test', work);

const isRead = (source: EventSource, partitions: number): boolean =>
  source.status().partitions.length === partitions &&
  source.status().partitions.every(({ lag }) => lag === 0);

/** Collects what is logged as an error. */
function errorLog(): { errors: object[]; logger: Logger } {
  const errors: object[] = [];
  const ignore = (): void => undefined;
  const error = (fields: object): void => void errors.push(fields);
  return { errors, logger: { debug: ignore, info: ignore, warn: ignore, error } };
}

describe('a group that begins at the end', () => {
  it('has a position in an idle partition too: what comes while it is down is delivered', async () => {
    const reading = await topicOf(2, 3);
    const { kafka, topic, groupId } = reading;
    const first = open(reading, { startFrom: 'latest' });
    const before = consume(first);
    await until(() => isRead(first, 2));
    await publish(kafka, topic, [{ partition: 0, value: 'while it is up' }]);
    await until(() => before.length === 1);
    await first.close();
    expect(await committedOffsets(kafka, groupId, topic)).toEqual(
      new Map([
        [0, 4],
        [1, 3],
      ]),
    );

    await publish(kafka, topic, numbered(2, 1));
    const after = consume(open(reading, { startFrom: 'latest' }));
    await until(() => after.length === 2);
    expect([before, after.toSorted()]).toEqual([['0/3'], ['0/4', '1/3']]);
  });

  it('reads nothing of the history when three members start at once', async () => {
    const reading = await topicOf(6, 20);
    const members = [1, 2, 3].map(() => open(reading, { startFrom: 'latest' }));
    const seen = members.map(consume);
    await until(() => members.every((member) => isRead(member, 2)), 30_000);
    await publish(reading.kafka, reading.topic, numbered(6, 1));
    await until(() => seen.flat().length >= 6);
    expect(seen.flat().toSorted()).toEqual(['0/20', '1/20', '2/20', '3/20', '4/20', '5/20']);
  });

  it('reads every record of partitions that are added, within seconds', async () => {
    const reading = await topicOf(1, 5);
    const { kafka, topic } = reading;
    const source = open(reading, { startFrom: 'latest', discoveryIntervalMs: 1_000 });
    const seen = consume(source);
    await until(() => isRead(source, 1));
    await admin(kafka, (it) => it.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    await publish(testKafka(), topic, numbered(3, 2));
    await until(() => seen.length === 6, 15_000);
    expect(seen.toSorted()).toEqual(['0/5', '0/6', '1/0', '1/1', '2/0', '2/1']);
  });
});

describe('a position that is not in the log any more', () => {
  it('is left for the beginning of the log, with a line that counts what retention has deleted', async () => {
    const reading = await topicOf(1, 10);
    const { kafka, topic, groupId } = reading;
    const first = open(reading);
    const taken = await new Puller(first).take(3);
    for (const delivery of taken) delivery.resolve();
    await first.close();
    await admin(kafka, async (it) => {
      await it.fetchTopicOffsets(topic); // kafkajs then knows who leads it
      await it.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '8' }] });
    });
    const { errors, logger } = errorLog();
    const rest = await new Puller(open(reading, { startFrom: 'latest', logger })).take(2);
    expect(offsets(rest)).toEqual([8, 9]);
    expect(errors).toEqual([expect.objectContaining({ partition: 0, from: 3, to: 8, records: 5 })]);
    for (const delivery of rest) delivery.resolve();
    await until(async () => (await committedOffset(kafka, groupId, topic, 0)) === 10);
  });

  it('is left for the beginning of the log where the log ends before it, and committed there', async () => {
    const reading = await topicOf(1, 4);
    const { kafka, topic, groupId } = reading;
    await admin(kafka, (it) =>
      it.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '100' }] }),
    );
    const { errors, logger } = errorLog();
    const source = open(reading, { startFrom: 'latest', logger });
    const seen = consume(source);
    await until(() => seen.length === 4);
    expect(seen).toEqual(['0/0', '0/1', '0/2', '0/3']);
    expect(errors).toEqual([expect.objectContaining({ partition: 0, from: 100, to: 0 })]);
    await until(async () => (await committedOffset(kafka, groupId, topic, 0)) === 4);
    await until(() => isRead(source, 1));
  });
});
