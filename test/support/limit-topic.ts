import kafkajs, { type Kafka } from 'kafkajs';
import { messageLimits, withAdmin } from '../../src/kafka/topics.ts';
import { until } from './puller.ts';

const { TOPIC } = kafkajs.ConfigResourceTypes;

/** Sets the `max.message.bytes` of a topic and waits until the broker goes by it. */
export async function limitTo(kafka: Kafka, topic: string, bytes: number): Promise<void> {
  const configEntries = [{ name: 'max.message.bytes', value: `${bytes}` }];
  await withAdmin(kafka, 'limiting a topic', (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: TOPIC, name: topic, configEntries }],
    }),
  );
  await until(async () => (await messageLimits(kafka, [topic])).get(topic) === bytes);
}
