import type { ConsumerConfig } from 'kafkajs';
import type { KafkaClient } from '../kafka/client.ts';
import type { Clock } from '../clock.ts';
import type { FaultPoints } from '../fault-points.ts';
import type { Logger } from '../logger.ts';

/** Named as in the configuration's `kafka` section, so that it can be spread into these. */
export interface KafkaEventSourceOptions {
  kafka: KafkaClient;
  topic: string;
  groupId: string;
  clock: Clock;
  logger?: Logger;
  /** Where a group without committed offsets begins. @default 'earliest' */
  startFrom?: 'earliest' | 'latest';
  /** How long the group waits for a sign of life, in ms. @default 30000 */
  sessionTimeoutMs?: number;
  /** How long a rebalance waits for each member, in ms. @default 60000 */
  rebalanceTimeoutMs?: number;
  /** At most a third of the session's timeout, in ms. @default 3000 */
  heartbeatIntervalMs?: number;
  /** How long a fetch waits for records, in ms; a rebalance waits for it too. @default 200 */
  maxWaitMs?: number;
  /** Bytes of one fetch: what is held in memory, at most, for each broker. @default 8388608 */
  maxFetchBytes?: number;
  /** How often offsets are committed, in ms. Longer: more records are read twice after a crash. @default 1000 */
  commitIntervalMs?: number;
  /** How often the end of idle partitions is asked for, in ms; for the lag only. @default 30000 */
  lagIntervalMs?: number;
  /**
   * How long a rebalance is held up for the records in flight, in ms: what is resolved by then is not read
   * twice.
   * @default 1000
   */
  revokeDrainMs?: number;
  /** How long `close` waits for the broker, in ms. @default 10000 */
  closeTimeoutMs?: number;
  /** Commits offsets in transactions of its own, one for each partition; then the source commits none. */
  transactions?: PartitionFence;
  faults?: FaultPoints | undefined;
}

/** Who else might commit for a partition is fenced off before anything of it is read. */
export interface PartitionFence {
  /**
   * Resolves when nobody but us can commit for `partitions` in a transaction, and whoever had them before has
   * committed or lost what was under way. `others: 'release'` says that these are all that we have.
   */
  acquire(partitions: readonly number[], others: 'keep' | 'release'): Promise<void>;
}

export type KafkaSettings = KafkaEventSourceOptions &
  Required<Omit<KafkaEventSourceOptions, 'logger' | 'transactions' | 'faults'>>;

export function withDefaults(options: KafkaEventSourceOptions): KafkaSettings {
  return {
    startFrom: 'earliest',
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 60_000,
    heartbeatIntervalMs: 3_000,
    maxWaitMs: 200,
    maxFetchBytes: 8 * 1024 * 1024,
    commitIntervalMs: 1_000,
    lagIntervalMs: 30_000,
    revokeDrainMs: 1_000,
    closeTimeoutMs: 10_000,
    ...options,
  };
}

/** Below this a partition with large records would hardly move; it is every Kafka client's default. */
const MIN_PARTITION_BYTES = 1024 * 1024;

/** The settings in kafkajs' words. A fetch is shared out evenly, so that no partition starves behind another. */
export function consumerConfig(settings: KafkaSettings, partitions: number): ConsumerConfig {
  const { maxFetchBytes } = settings;
  const share = Math.max(MIN_PARTITION_BYTES, Math.floor(maxFetchBytes / partitions));
  return {
    groupId: settings.groupId,
    sessionTimeout: settings.sessionTimeoutMs,
    rebalanceTimeout: settings.rebalanceTimeoutMs,
    heartbeatInterval: settings.heartbeatIntervalMs,
    maxWaitTimeInMs: settings.maxWaitMs,
    maxBytes: maxFetchBytes,
    maxBytesPerPartition: Math.min(share, maxFetchBytes),
    allowAutoTopicCreation: false,
  };
}
