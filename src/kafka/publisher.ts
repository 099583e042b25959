import type { KafkaClient } from './client.ts';
import { kafkaError } from './errors.ts';
import { createKeyPartitioner } from './key-partitioner.ts';
import { kafkaHeaders, type OutgoingMessage } from './outgoing-message.ts';

/** Publishes one message at a time: kafkajs repeats a whole request, or loses count of it, when part of it failed. */
export interface Publisher {
  /** Resolves when the message is acknowledged. Throws what `kafkaError` makes of a failure. */
  publish(message: OutgoingMessage): Promise<void>;
}

/** Runs `work` with an idempotent producer of its own. Throws what `work` throws. */
export async function usePublisher(
  kafka: KafkaClient,
  doing: string,
  work: (publisher: Publisher) => Promise<void>,
): Promise<void> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: createKeyPartitioner,
  });
  try {
    await producer.connect();
    await work({
      publish: async ({ topic, key, value, headers, partition }) => {
        const message = { key, value, headers: kafkaHeaders(headers) };
        await producer.send({
          topic,
          messages: [partition === undefined ? message : { ...message, partition }],
        });
      },
    });
  } catch (error) {
    throw kafkaError(error, doing);
  } finally {
    await producer.disconnect();
  }
}
