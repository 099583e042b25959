import { Partitioners, type Kafka, type Message, type Transaction } from 'kafkajs';
import { until } from './puller.ts';
import { countRecords, uniqueName } from './kafka.ts';

/** Publishes in a transaction of its own and hands it over, still open. */
export async function openTransaction(
  kafka: Kafka,
  topic: string,
  messages: Message[],
): Promise<{ end(how: 'commit' | 'abort'): Promise<void> }> {
  const producer = kafka.producer({
    transactionalId: uniqueName('transaction'),
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 300_000, // for the broker not to end it by itself
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const transaction: Transaction = await producer.transaction();
  await transaction.send({ topic, messages });
  return {
    async end(how) {
      await transaction[how]();
      await producer.disconnect();
    },
  };
}

/**
 * Publishes in a transaction of its own, to a topic that nobody else writes to, and waits for its marker: the
 * broker says that a transaction has ended before it writes that down in the topic.
 */
export async function transact(
  kafka: Kafka,
  topic: string,
  messages: Message[],
  end: 'commit' | 'abort',
): Promise<void> {
  const before = await countRecords(kafka, topic);
  const transaction = await openTransaction(kafka, topic, messages);
  await transaction.end(end);
  await until(async () => (await countRecords(kafka, topic)) > before + messages.length);
}
