import type { Clock } from '../clock.ts';
import type { ICustomPartitioner, Producer, RecordMetadata } from 'kafkajs';
import type { Config } from '../config-schema.ts';
import { AppError } from '../errors.ts';
import { noFaults, type FaultPoints } from '../fault-points.ts';
import type { Logger } from '../logger.ts';
import type { KafkaClient } from './client.ts';
import { COMPRESSION } from './codecs.ts';
import { isPassing, kafkaError } from './errors.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { ALL_IN_SYNC_REPLICAS, byTopic, describe, unacknowledgedOf } from './request.ts';
import { StickyPartitioner } from './sticky-partitioner.ts';
import { settles, within } from './within.ts';

const RETRY_EVERY_MS = 1_000;
/** Longer than kafkajs itself tries, in ms. */
const ANSWER_TIMEOUT_MS = 120_000;
const CLOSE_TIMEOUT_MS = 1_000;

export interface AckedProducerOptions {
  /** A new idempotent producer, not yet connected. */
  createProducer: (
    partitioner: ICustomPartitioner,
  ) => Pick<Producer, 'connect' | 'sendBatch' | 'disconnect'>;
  compression: Config['output']['compression'];
  /** How long an unreachable broker is waited for, in ms, before `kafka_unavailable` is thrown. */
  deliveryTimeoutMs: number;
  clock: Clock;
  logger: Logger;
  faults?: FaultPoints | undefined;
}

/** An acked producer whose producers are idempotent and send one request at a time. */
export function createAckedProducer(
  kafka: KafkaClient,
  options: Omit<AckedProducerOptions, 'createProducer'>,
): AckedProducer {
  return new AckedProducer({
    ...options,
    createProducer: (createPartitioner) =>
      kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner,
      }),
  });
}

/**
 * Sends messages until the broker has acknowledged each of them.
 *
 * kafkajs counts its sequence numbers back when any part of a request fails, although other partitions of it
 * may have been written. Whatever it sent next to those would be acknowledged as a duplicate and dropped. So
 * a producer is used for one request at a time and never again after a failure.
 */
export class AckedProducer {
  readonly #options: AckedProducerOptions;
  readonly #partitioner = new StickyPartitioner();
  readonly #closing = new AbortController();
  #producer: ReturnType<AckedProducerOptions['createProducer']> | undefined;

  constructor(options: AckedProducerOptions) {
    this.#options = options;
  }

  /**
   * Not to be called again before it settled. Throws AppError `topic_missing`, `record_too_large`,
   * `kafka_unauthorized` or `kafka_unavailable`; some of the messages may have been written even so.
   */
  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    const { clock, logger, deliveryTimeoutMs, faults = noFaults } = this.#options;
    const deadline = clock.elapsed() + deliveryTimeoutMs;
    let pending = [...messages];
    for (let attempt = 1; pending.length > 0; attempt++) {
      try {
        faults.reach('sending');
        const answers = await within(this.#request(pending), {
          clock,
          ms: ANSWER_TIMEOUT_MS,
          doing: describe(pending),
        });
        pending = unacknowledgedOf(pending, answers, this.#partitioner);
        faults.reach('sent');
        if (pending.length > 0) throw unacknowledged(pending);
      } catch (cause) {
        const error = kafkaError(cause, describe(pending));
        await this.#discard();
        const passing = isUnavailable(error) && isPassing(error);
        const givenUp = this.#closing.signal.aborted || clock.elapsed() >= deadline;
        if (!passing || givenUp) throw error;
        logger.warn({ err: error, attempt }, 'the broker has not acknowledged: sending again');
        await clock.sleep(RETRY_EVERY_MS, this.#closing.signal).catch(() => undefined);
      }
    }
  }

  /** From now on a request that fails is not tried again. */
  stopRetrying(): void {
    this.#closing.abort();
  }

  /** Waits for the broker for a second at most: one that is frozen would hold the end of the process. */
  async close(): Promise<void> {
    this.stopRetrying();
    await settles(this.#discard(), { clock: this.#options.clock, ms: CLOSE_TIMEOUT_MS });
  }

  async #request(messages: readonly OutgoingMessage[]): Promise<RecordMetadata[]> {
    if (this.#producer === undefined) {
      this.#producer = this.#options.createProducer(this.#partitioner.create);
      await this.#producer.connect();
    }
    return this.#producer.sendBatch({
      acks: ALL_IN_SYNC_REPLICAS,
      compression: COMPRESSION[this.#options.compression],
      topicMessages: byTopic(messages),
    });
  }

  async #discard(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.disconnect().catch(() => undefined); // it may never have been connected
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'kafka_unavailable';
}

function unacknowledged(messages: readonly OutgoingMessage[]): AppError {
  return new AppError(
    'kafka_unavailable',
    `${describe(messages)}: the broker's answer leaves them out`,
  );
}
