import type {
  CompressionTypes,
  ICustomPartitioner,
  Producer,
  RecordMetadata,
  Transaction,
} from 'kafkajs';
import { AppError } from '../errors.ts';
import { noFaults, type FaultPoints } from '../fault-points.ts';
import { kafkaError } from '../kafka/errors.ts';
import type { Outgoing } from './outgoing.ts';
import { ALL_IN_SYNC_REPLICAS, byTopic, describe, unacknowledgedOf } from './request.ts';
import { StickyPartitioner } from './sticky-partitioner.ts';

export interface PartitionTransactionsOptions {
  /** A new producer with this transactional id, not yet connected. */
  createProducer: (
    transactionalId: string,
    partitioner: ICustomPartitioner,
  ) => Pick<Producer, 'connect' | 'transaction' | 'disconnect'>;
  /** The consumer group and the input topic that the offsets are committed for. */
  groupId: string;
  topic: string;
  compression: CompressionTypes;
  faults?: FaultPoints | undefined;
}

/** One input partition for as long as nobody else has claimed it. */
interface Claim {
  producer: Pick<Producer, 'connect' | 'transaction' | 'disconnect'>;
  /** Begun already, which is what makes kafkajs ask for the producer's id and so fences the former owner. */
  begun: Transaction | undefined;
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
  readonly #claims = new Map<number, Claim>();
  #acquiring: Promise<void> = Promise.resolve();

  constructor(options: PartitionTransactionsOptions) {
    this.#options = options;
  }

  /**
   * Fences off whoever else has `partitions`; what they had under way is then committed or aborted. One call at a
   * time, so that an older claim of ours cannot come after a newer one.
   * Throws AppError `kafka_unavailable` or `kafka_unauthorized`.
   */
  acquire(partitions: readonly number[], others: 'keep' | 'release'): Promise<void> {
    const acquired = this.#acquiring.then(async () => {
      const released = others === 'release' ? [...this.#claims.keys()] : partitions;
      await Promise.all(released.map((partition) => this.#drop(partition)));
      await Promise.all(partitions.map((partition) => this.#claim(partition)));
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
  async commit(partition: number, messages: readonly Outgoing[], offset: number): Promise<void> {
    const { groupId, topic, compression, faults = noFaults } = this.#options;
    const claim = this.#claims.get(partition);
    try {
      if (claim === undefined) throw notOurs(topic, partition);
      const transaction = claim.begun ?? (await claim.producer.transaction());
      claim.begun = undefined;
      const answers = await transaction.sendBatch({
        acks: ALL_IN_SYNC_REPLICAS,
        compression,
        topicMessages: byTopic(messages),
      });
      this.#requireAll(messages, answers);
      faults.reach('transaction-messages');
      const offsets = [{ partition, offset: String(offset) }];
      await transaction.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic, partitions: offsets }],
      });
      faults.reach('transaction-offsets');
      await transaction.commit();
      faults.reach('transaction-committed');
    } catch (error) {
      // kafkajs cannot use a producer again whose transaction failed; disconnected meanwhile, it connects anew.
      if (this.#claims.get(partition) === claim) this.#claims.delete(partition);
      await disconnect(claim);
      throw kafkaError(error, describe(messages));
    }
  }

  /** Disconnects; a transaction that is under way is aborted by the next owner, or by the broker after a minute. */
  async close(): Promise<void> {
    await this.acquire([], 'release');
  }

  async #claim(partition: number): Promise<void> {
    const { createProducer, groupId, topic } = this.#options;
    const id = `moderato-${groupId}-${topic}-${partition}`;
    const producer = createProducer(id, this.#partitioner.create);
    try {
      await producer.connect();
      this.#claims.set(partition, { producer, begun: await producer.transaction() });
    } catch (error) {
      await producer.disconnect().catch(() => undefined); // it may never have been connected
      throw kafkaError(error, `fencing ${topic}/${partition} as ${id}`);
    }
  }

  async #drop(partition: number): Promise<void> {
    const claim = this.#claims.get(partition);
    this.#claims.delete(partition);
    await disconnect(claim);
  }

  #requireAll(messages: readonly Outgoing[], answers: readonly RecordMetadata[]): void {
    const missing = unacknowledgedOf(messages, answers, this.#partitioner);
    if (missing.length === 0) return;
    throw new AppError(
      'kafka_unavailable',
      `${describe(missing)}: the broker's answer leaves them out`,
    );
  }
}

async function disconnect(claim: Claim | undefined): Promise<void> {
  await claim?.producer.disconnect().catch(() => undefined); // the broker may be gone
}

function notOurs(topic: string, partition: number): AppError {
  return new AppError(
    'kafka_unavailable',
    `committing ${topic}/${partition}: the partition is not ours, or was lost in an earlier transaction`,
  );
}
