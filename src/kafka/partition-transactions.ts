import type { ICustomPartitioner, Producer, RecordMetadata, Transaction } from 'kafkajs';
import type { Clock } from '../clock.ts';
import type { Config } from '../config-schema.ts';
import { AppError } from '../errors.ts';
import { noFaults, type FaultPoints } from '../fault-points.ts';
import { keyOf, type TopicPartition } from './by-topic.ts';
import type { KafkaClient } from './client.ts';
import { COMPRESSION } from './codecs.ts';
import { causes, kafkaError } from './errors.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { ALL_IN_SYNC_REPLICAS, byTopic, describe, unacknowledgedOf } from './request.ts';
import { StickyPartitioner } from './sticky-partitioner.ts';
import { settles, within } from './within.ts';

export interface PartitionTransactionsOptions {
  /**
   * A new producer with this transactional id, not yet connected. It must not try again by itself: when one broker's
   * part of a request fails, kafkajs does not wait for the others' before it sends theirs once more.
   */
  createProducer: (
    transactionalId: string,
    partitioner: ICustomPartitioner,
  ) => Pick<Producer, 'connect' | 'transaction' | 'disconnect'>;
  /** The consumer group that the offsets are committed for. */
  groupId: string;
  compression: Config['output']['compression'];
  clock: Clock;
  faults?: FaultPoints | undefined;
}

/** What one transaction holds. */
interface Commit extends TopicPartition {
  messages: readonly OutgoingMessage[];
  /** The next to be read of the partition. */
  offset: number;
  /** A note that is committed with it. */
  metadata: string;
}

/** How long the end of the transaction before may take to be marked, in ms, and how often that is asked. */
const PREDECESSOR_TIMEOUT_MS = 20_000;
const PUT_OFF_MS = 3;
/** After a minute the broker has given a transaction up by itself. */
const TRANSACTION_TIMEOUT_MS = 60_000;
/** Of one attempt. Less than the group's session, so that partitions move on although a broker is frozen. */
const CLAIM_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 1_000;

/** One input partition for as long as nobody else has claimed it. */
interface Claim {
  producer: Pick<Producer, 'connect' | 'transaction' | 'disconnect'>;
  /** Begun already, which is what makes kafkajs ask for the producer's id and so fences the former owner. */
  begun: Transaction | undefined;
  /** The transaction that is under way. */
  running: Promise<unknown>;
}

/** Transactions whose producers send one request at a time and retry nothing. */
export function createPartitionTransactions(
  kafka: KafkaClient,
  options: Omit<PartitionTransactionsOptions, 'createProducer'>,
): PartitionTransactions {
  return new PartitionTransactions({
    ...options,
    createProducer: (transactionalId, createPartitioner) =>
      kafka.producer({
        transactionalId,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner,
        retry: { retries: 0 },
      }),
  });
}

/**
 * Transactions that hold verdicts and the offset of the records they are for: both count, or neither. kafkajs does
 * not know the group's generation in a transaction (KIP-447), so it cannot be told from it that a member is a zombie.
 * Hence one transactional id for each input partition (as Kafka Streams had it before KIP-447): whoever acquires the
 * partition fences whoever had it.
 */
export class PartitionTransactions {
  readonly #options: PartitionTransactionsOptions;
  readonly #partitioner = new StickyPartitioner();
  readonly #claims = new Map<string, Claim>();
  readonly #leaving = new Set<Promise<void>>();
  #acquiring: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: PartitionTransactionsOptions) {
    this.#options = options;
  }

  /**
   * Fences off whoever else has `partitions`; what they had under way is then committed or aborted. One call at a
   * time, so that an older claim of ours cannot come after a newer one.
   * Throws AppError `kafka_unavailable` or `kafka_unauthorized`, or `aborted` once it is closed.
   */
  acquire(partitions: readonly TopicPartition[], others: 'keep' | 'release'): Promise<void> {
    const acquired = this.#acquiring.then(async () => {
      const released = others === 'release' ? [...this.#claims.keys()] : partitions.map(keyOf);
      for (const key of released) this.#drop(key);
      if (this.#closed && partitions.length > 0) {
        throw new AppError('aborted', 'fencing partitions: the transactions were closed');
      }
      // All of them settle before the next call: an older claim must not come after a newer one.
      const claims = await Promise.allSettled(
        partitions.map((partition) => this.#claim(partition)),
      );
      const failed = claims.find((claim) => claim.status === 'rejected');
      if (failed) throw failed.reason;
    });
    this.#acquiring = acquired.catch(() => undefined);
    return acquired;
  }

  /**
   * Writes `messages` and commits `offset`, the next to be read of `partition`, in one transaction. Not to be called
   * again for the partition before it settled. After it threw, whether the transaction took place is not known
   * until the partition was acquired again.
   * Throws AppError `topic_missing`, `record_too_large`, `kafka_unauthorized` or `kafka_unavailable`.
   */
  async commit(
    { topic, partition }: TopicPartition,
    messages: readonly OutgoingMessage[],
    offset: number,
    metadata = '',
  ): Promise<void> {
    const key = keyOf({ topic, partition });
    const claim = this.#claims.get(key);
    if (claim === undefined) throw notOurs(key);
    const { clock } = this.#options;
    const commit = { topic, partition, messages, offset, metadata };
    const committed = within(this.#commit(claim, commit), {
      clock,
      ms: TRANSACTION_TIMEOUT_MS,
      doing: describe(messages),
    });
    claim.running = committed.catch(() => undefined);
    try {
      await committed;
    } catch (error) {
      // kafkajs cannot use a producer again whose transaction failed.
      if (this.#claims.get(key) === claim) this.#drop(key);
      throw kafkaError(error, describe(messages));
    }
  }

  async #commit(claim: Claim, { messages, ...offset }: Commit): Promise<void> {
    const { compression, faults = noFaults } = this.#options;
    const transaction = claim.begun ?? (await claim.producer.transaction());
    claim.begun = undefined;
    await this.#sendOffset(transaction, offset);
    faults.reach('transaction-offsets');
    if (messages.length > 0) {
      const answers = await transaction.sendBatch({
        acks: ALL_IN_SYNC_REPLICAS,
        compression: COMPRESSION[compression],
        topicMessages: byTopic(messages),
      });
      this.#requireAll(messages, answers);
    }
    faults.reach('transaction-messages');
    await transaction.commit();
    faults.reach('transaction-committed');
  }

  /**
   * The offset comes first: it is what is put off until the broker has marked the end of the transaction before, in
   * some ms. Behind it nothing of this one is put off any more.
   */
  async #sendOffset(
    transaction: Transaction,
    { topic, partition, offset, metadata }: Omit<Commit, 'messages'>,
  ): Promise<void> {
    const { groupId, clock } = this.#options;
    const deadline = clock.elapsed() + PREDECESSOR_TIMEOUT_MS;
    const partitions = [{ partition, offset: String(offset), metadata }];
    for (;;) {
      try {
        await transaction.sendOffsets({
          consumerGroupId: groupId,
          topics: [{ topic, partitions }],
        });
        return;
      } catch (error) {
        if (!isPutOff(error) || clock.elapsed() > deadline) throw error;
        await clock.sleep(PUT_OFF_MS);
      }
    }
  }

  /** Lets the transactions that are under way end, for a second at most, and disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    const left = this.acquire([], 'release').then(() => Promise.all(this.#leaving));
    await settles(left, { clock: this.#options.clock, ms: CLOSE_TIMEOUT_MS });
  }

  async #claim({ topic, partition }: TopicPartition): Promise<void> {
    const { createProducer, groupId, clock } = this.#options;
    const key = keyOf({ topic, partition });
    const id = transactionalId(groupId, { topic, partition });
    const producer = createProducer(id, this.#partitioner.create);
    let isGivenUp = false;
    const begin = async (): Promise<Transaction> => {
      await producer.connect();
      if (isGivenUp) throw new AppError('aborted', `claiming ${id}: given up`);
      return producer.transaction();
    };
    try {
      const begun = await within(begin(), {
        clock,
        ms: CLAIM_TIMEOUT_MS,
        doing: `claiming ${id}`,
      });
      this.#claims.set(key, { producer, begun, running: Promise.resolve() });
    } catch (error) {
      isGivenUp = true;
      producer.disconnect().catch(() => undefined); // not waited for: its broker may be frozen
      throw kafkaError(error, `fencing ${key} as ${id}`);
    }
  }

  /** A producer that is disconnected while it works connects anew: so it is let finish, with nobody waiting for it. */
  #drop(key: string): void {
    const claim = this.#claims.get(key);
    if (!claim) return;
    this.#claims.delete(key);
    const left = claim.running
      .then(() => claim.producer.disconnect())
      .catch(() => undefined) // the broker may be gone
      .finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  #requireAll(messages: readonly OutgoingMessage[], answers: readonly RecordMetadata[]): void {
    const missing = unacknowledgedOf(messages, answers, this.#partitioner);
    if (missing.length === 0) return;
    throw new AppError(
      'kafka_unavailable',
      `${describe(missing)}: the broker's answer leaves them out`,
    );
  }
}

function isPutOff(error: unknown): boolean {
  return [...causes(error)].some(({ type }) => type === 'CONCURRENT_TRANSACTIONS');
}

/**
 * A partition has an id of its own: what follows the last hyphen is its number, so no two partitions of a group share
 * one, whatever the topics are named.
 */
export function transactionalId(groupId: string, { topic, partition }: TopicPartition): string {
  return `moderato-${groupId}-${topic}-${partition}`;
}

function notOurs(key: string): AppError {
  return new AppError(
    'kafka_unavailable',
    `committing ${key}: the partition is not ours, or was lost in an earlier transaction`,
  );
}
