/** The run's real broker, for integration tests. Every test has topics of its own; none is ever deleted. */
import { randomUUID } from 'node:crypto';
import type { CompressionTypes, Kafka, KafkaMessage, Message } from 'kafkajs';
import { Partitioners } from 'kafkajs';
import { configSchema, type Config } from '../../src/config-schema.ts';
import { createKafka } from '../../src/kafka/client.ts';
import { createTopics, withAdmin, type TopicSpec } from '../../src/kafka/topics.ts';
import { noLogger } from '../../src/logger.ts';

export function testBrokers(): string[] {
  const brokers = process.env['KAFKA_BROKERS'];
  if (brokers === undefined || brokers === '') {
    throw new Error('KAFKA_BROKERS is not set: run it as an integration test');
  }
  return brokers.split(',');
}

/** The configuration's kafka section for the run's broker, quick to notice that a member is gone. */
export function testKafkaConfig(overrides: Partial<Config['kafka']> = {}): Config['kafka'] {
  const defaults = configSchema.shape.kafka.parse({ brokers: overrides.brokers ?? testBrokers() });
  return {
    ...defaults,
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 500,
    rebalanceTimeoutMs: 10_000,
    maxWaitMs: 100,
    ...overrides,
  };
}

export function testKafka(overrides: Partial<Config['kafka']> = {}, retries?: number): Kafka {
  return createKafka(testKafkaConfig(overrides), {}, noLogger, {
    ...(retries !== undefined && { retries }),
  });
}

/** A topic or group name that nobody else has. */
export function uniqueName(hint: string): string {
  return `${hint}-${randomUUID().slice(0, 8)}`;
}

/** Creates a topic with a name of its own. */
export async function createTopic(
  kafka: Kafka,
  partitions = 1,
  spec: Omit<TopicSpec, 'topic' | 'partitions'> = {},
): Promise<string> {
  const topic = uniqueName('topic');
  await createTopics(kafka, [{ topic, partitions, ...spec }]);
  return topic;
}

export async function publish(
  kafka: Kafka,
  topic: string,
  messages: Message[],
  compression?: CompressionTypes,
): Promise<void> {
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  try {
    // One partition a request: kafkajs sends a request anew as a whole when one of its partitions was refused,
    // as happens on a topic just created.
    for (const part of Map.groupBy(messages, ({ partition }) => partition).values()) {
      await producer.send({ topic, messages: part, ...(compression && { compression }) });
    }
  } finally {
    await producer.disconnect();
  }
}

/** Records in all partitions of a topic by now. */
export async function countRecords(kafka: Kafka, topic: string): Promise<number> {
  const count = () => withAdmin(kafka, 'counting', (admin) => admin.fetchTopicOffsets(topic));
  // The leaders of a topic just created may not know of it yet.
  const offsets = await count().catch((error: unknown) => {
    if (!String(error).includes('NOT_LEADER')) throw error;
    return new Promise((resolve) => setTimeout(resolve, 1_000)).then(count);
  });
  return offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
}

export type ReadMessage = KafkaMessage & { partition: number };

/** Every record that the topic holds by now, in order within a partition. */
export async function readAll(kafka: Kafka, topic: string): Promise<ReadMessage[]> {
  const expected = await countRecords(kafka, topic);
  const messages: ReadMessage[] = [];
  if (expected === 0) return messages;
  const consumer = kafka.consumer({
    groupId: uniqueName('reader'),
    maxWaitTimeInMs: 100,
    maxBytesPerPartition: 16 * 1024 * 1024,
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => {
        if (!payload.restart) reject(payload.error); // a coordinator that is still loading is asked again
      });
      void consumer.run({
        autoCommit: false,
        eachMessage: ({ partition, message }) => {
          // The decoder's messages have getters, which spreading leaves out.
          const { key, value, offset, timestamp, headers = {}, attributes } = message;
          messages.push({ key, value, offset, timestamp, headers, attributes, partition });
          if (messages.length === expected) resolve();
          return Promise.resolve();
        },
      });
    });
  } finally {
    await consumer.disconnect();
  }
  return messages;
}
