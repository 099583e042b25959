import type { Producer, Transaction } from 'kafkajs';
import type { Config } from '../config-schema.ts';
import { AppError } from '../errors.ts';
import type { KafkaClient } from './client.ts';
import { COMPRESSION } from './codecs.ts';
import { causes, kafkaError } from './errors.ts';
import { createKeyPartitioner } from './key-partitioner.ts';
import { kafkaHeaders, type OutgoingMessage } from './outgoing-message.ts';

const ALL_IN_SYNC_REPLICAS = -1;

/** A message for one partition. */
export type PlacedMessage = OutgoingMessage & { partition: number };

export interface RedriveProducerOptions {
  kafka: Pick<KafkaClient, 'producer'>;
  /** The dead-letter topic: there is one redrive of it at a time. */
  topic: string;
  compression: Config['output']['compression'];
}

/**
 * Writes messages in transactions: all of one call, or none. kafkajs goes wrong in more than one way when it is
 * used on after a failure, so the first failure is the end of it; a redrive that is run again goes on from what
 * was committed.
 */
export class RedriveProducer {
  readonly #topic: string;
  readonly #compression: Config['output']['compression'];
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
      createPartitioner: createKeyPartitioner,
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
   * Writes `messages` and, in the same transaction, what `notesOf` makes of the offsets that they were given, in their
   * order; undefined where the broker does not tell one.
   *
   * Throws AppError `redrive_fenced` when another redrive of the topic has begun, else `topic_missing`,
   * `record_too_large`, `kafka_unauthorized` or `kafka_unavailable`. Nothing was written then, unless the
   * broker's answer to the commit was lost.
   *
   * @param doing - for messages: `redriving 0/1 to 0/7`
   */
  async write(
    messages: readonly PlacedMessage[],
    notesOf: (offsets: ReadonlyArray<number | undefined>) => readonly PlacedMessage[],
    doing: string,
  ): Promise<void> {
    const transaction = this.#transaction;
    if (!transaction) throw new Error('the producer is not open');
    this.#transaction = undefined;
    try {
      const offsets = await this.#sendAll(transaction, messages);
      await this.#sendAll(transaction, notesOf(offsets));
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

  /** The offsets of the messages, in their order. */
  async #sendAll(
    transaction: Transaction,
    messages: readonly PlacedMessage[],
  ): Promise<Array<number | undefined>> {
    const offsets = new Map<PlacedMessage, number>();
    for (const part of byPartition(messages)) {
      const base = await this.#send(transaction, part);
      if (base === undefined) continue;
      part.forEach((message, index) => offsets.set(message, base + index));
    }
    return messages.map((message) => offsets.get(message));
  }

  /**
   * One partition a request. When part of a request fails, kafkajs tries again with sequence numbers, or without
   * partitions, that are right only where no leader has moved. Returns the offset of the first message.
   */
  async #send(
    transaction: Transaction,
    part: readonly PlacedMessage[],
  ): Promise<number | undefined> {
    const { topic, partition } = part[0] as PlacedMessage;
    const answers = await transaction.send({
      topic,
      acks: ALL_IN_SYNC_REPLICAS,
      compression: COMPRESSION[this.#compression],
      messages: part.map(({ key, value, headers }) => ({
        key,
        value,
        headers: kafkaHeaders(headers),
        partition,
      })),
    });
    const [answer] = answers;
    const isWritten =
      answers.length === 1 && answer?.topicName === topic && answer.partition === partition;
    if (!isWritten) {
      throw new AppError(
        'kafka_unavailable',
        `writing to ${topic}/${partition}: the broker's answer leaves it out; run the command again`,
      );
    }
    const base = Number(answer.baseOffset ?? -1);
    return base >= 0 ? base : undefined;
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
  return Map.groupBy(messages, ({ topic, partition }) => `${topic}/${partition}`).values();
}

/** INVALID_PRODUCER_EPOCH (47), and PRODUCER_FENCED (90), which kafkajs 2.2.4 has no name for. */
function isFenced(error: unknown): boolean {
  return [...causes(error)].some(
    ({ type, message }) =>
      type === 'INVALID_PRODUCER_EPOCH' ||
      (type === 'KAFKAJS_UNKNOWN_ERROR_CODE' && message.endsWith(' 90')),
  );
}
