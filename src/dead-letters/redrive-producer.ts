import { Partitioners, type CompressionTypes, type Message } from 'kafkajs';
import type { KafkaClient } from '../kafka/client.ts';
import type { Producer, Transaction } from 'kafkajs';
import { AppError } from '../errors.ts';
import { causes, kafkaError } from '../kafka/errors.ts';

const ALL_IN_SYNC_REPLICAS = -1;

/** A message for one partition. */
export interface PlacedMessage {
  topic: string;
  message: Message & { partition: number };
}

export interface RedriveProducerOptions {
  kafka: Pick<KafkaClient, 'producer'>;
  /** The dead-letter topic: there is one redrive of it at a time. */
  topic: string;
  compression: CompressionTypes;
}

/**
 * Writes messages in transactions: all of one call, or none. kafkajs goes wrong in more than one way when it is
 * used on after a failure, so the first failure is the end of it; a redrive that is begun anew goes on from what
 * was committed.
 */
export class RedriveProducer {
  readonly #topic: string;
  readonly #compression: CompressionTypes;
  readonly #producer: Pick<Producer, 'connect' | 'disconnect' | 'transaction'>;
  #transaction: Transaction | undefined;

  constructor({ kafka, topic, compression }: RedriveProducerOptions) {
    this.#topic = topic;
    this.#compression = compression;
    this.#producer = kafka.producer({
      transactionalId: `moderato-redrive-${topic}`,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      // Right after a commit the broker asks for another try, until it has written the ends of the transaction.
      retry: { initialRetryTime: 50, retries: 10 },
    });
  }

  /**
   * From now on no other redrive of this topic writes; what one had not committed yet is gone when this returns,
   * and what it had committed can be read.
   * Throws AppError `kafka_unavailable` or `kafka_unauthorized`.
   */
  async open(): Promise<void> {
    try {
      await this.#producer.connect();
      this.#transaction = await this.#producer.transaction();
    } catch (error) {
      await this.close();
      throw this.#errorOf(error, 'beginning to redrive');
    }
  }

  /**
   * Throws AppError `redrive_fenced` when another redrive of the topic has begun, else `topic_missing`,
   * `record_too_large`, `kafka_unauthorized` or `kafka_unavailable`. Nothing was written then, unless the
   * broker's answer to the commit was lost.
   */
  async write(messages: readonly PlacedMessage[], doing: string): Promise<void> {
    const transaction = this.#transaction;
    if (!transaction) throw new Error('the producer is not open');
    this.#transaction = undefined;
    try {
      for (const part of byPartition(messages)) await this.#send(transaction, part);
      await transaction.commit();
      this.#transaction = await this.#producer.transaction();
    } catch (error) {
      await transaction.abort().catch(() => undefined); // it has ended, or the broker will end it
      await this.close();
      throw this.#errorOf(error, doing);
    }
  }

  async close(): Promise<void> {
    this.#transaction = undefined;
    await this.#producer.disconnect().catch(() => undefined); // it may never have been connected
  }

  /**
   * One partition a request. When part of a request fails, kafkajs tries again with sequence numbers, or without
   * partitions, that are right only where no leader has moved.
   */
  async #send(transaction: Transaction, part: readonly PlacedMessage[]): Promise<void> {
    const { topic, message } = part[0] as PlacedMessage;
    const answers = await transaction.send({
      topic,
      acks: ALL_IN_SYNC_REPLICAS,
      compression: this.#compression,
      messages: part.map((each) => each.message),
    });
    const [answer] = answers;
    const isWritten =
      answers.length === 1 && answer?.topicName === topic && answer.partition === message.partition;
    if (isWritten) return;
    throw new AppError(
      'kafka_unavailable',
      `writing to ${topic}/${message.partition}: the broker's answer leaves it out; run the command again`,
    );
  }

  #errorOf(error: unknown, doing: string): Error {
    if (!isFenced(error)) return kafkaError(error, doing);
    return new AppError(
      'redrive_fenced',
      `${doing}: stopped, since another redrive of ${this.#topic} has begun, or the broker was away for too long; this transaction was not committed, and running the command again redrives what is left`,
      { cause: error },
    );
  }
}

function byPartition(messages: readonly PlacedMessage[]): Iterable<PlacedMessage[]> {
  return Map.groupBy(messages, ({ topic, message }) => `${topic}/${message.partition}`).values();
}

/** INVALID_PRODUCER_EPOCH (47), and PRODUCER_FENCED (90), which kafkajs 2.2.4 has no name for. */
function isFenced(error: unknown): boolean {
  return [...causes(error)].some(
    ({ type, message }) =>
      type === 'INVALID_PRODUCER_EPOCH' ||
      (type === 'KAFKAJS_UNKNOWN_ERROR_CODE' && message.endsWith(' 90')),
  );
}
