import { jest } from '@jest/globals';
import type { IHeaders } from 'kafkajs';
import { systemClock } from '../../src/clock.ts';
import { createKafkaEventSource } from '../../src/consumers/kafka-event-source.ts';
import { lanesOf } from '../../src/lane.ts';
import { describeEventSource, type ProducedRecord } from '../support/event-source-conformance.ts';
import { committedOffset } from '../support/consumer-group.ts';
import { createTopic, publish, testKafka, testKafkaConfig, uniqueName } from '../support/kafka.ts';

// A broker takes its time on a busy machine.
jest.setTimeout(30_000);

describeEventSource('the Kafka source', async (partitions) => {
  const kafka = testKafka();
  const topic = await createTopic(kafka, partitions);
  const groupId = uniqueName('group');
  return {
    produce: (records) => publish(kafka, topic, records.map(toMessage)),
    open: () =>
      createKafkaEventSource({
        ...testKafkaConfig({ commitIntervalMs: 50 }),
        kafka,
        lanes: lanesOf(topic),
        groupId,
        clock: systemClock,
        windowWhileParked: 0,
      }),
    committed: (partition) => committedOffset(kafka, groupId, topic, partition),
  };
});

function toMessage({ partition, key = null, value, headers = [] }: ProducedRecord): {
  partition: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: IHeaders;
} {
  const grouped: Record<string, Buffer[]> = {};
  for (const header of headers) {
    (grouped[header.name] ??= []).push(header.value ?? Buffer.alloc(0));
  }
  return { partition, key, value, headers: grouped };
}
