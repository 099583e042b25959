import type { TopicPartition } from '../kafka/by-topic.ts';
import type { KafkaClient } from '../kafka/client.ts';
import type {
  GroupConsumer,
  GroupConsumerOptions,
  OffsetCommit,
} from '../kafka/group/group-consumer.ts';
import type { Lane } from '../lane.ts';
import type { Clock } from '../clock.ts';
import type { FaultPoints } from '../fault-points.ts';
import type { EventSource } from './event-source.ts';
import type { Logger } from '../logger.ts';

/** Named as in the configuration's `kafka` section, so that it can be spread into these. */
export interface KafkaEventSourceOptions {
  kafka: KafkaClient;
  /** The topics to read, each once. */
  lanes: readonly Lane[];
  groupId: string;
  clock: Clock;
  logger?: Logger;
  /** Where a group without committed offsets begins. @default 'earliest' */
  startFrom?: 'earliest' | 'latest';
  /**
   * `group.instance.id` (KIP-345): a process that restarts under the same id within the session keeps its partitions
   * without a rebalance. Every process needs its own.
   */
  instanceId?: string | undefined;
  /** How long the group waits for a sign of life, in ms. @default 10000 */
  sessionTimeoutMs?: number;
  /** How long a rebalance waits for each member, in ms. @default 60000 */
  rebalanceTimeoutMs?: number;
  /** At most a third of the session's timeout, in ms. @default 1000 */
  heartbeatIntervalMs?: number;
  /** How long a fetch waits for records, in ms; a rebalance waits for it too. @default 200 */
  maxWaitMs?: number;
  /** Bytes of one answer of a broker, compressed; records that wait, of all lanes, may take twice as much. @default 8388608 */
  maxFetchBytes?: number;
  /**
   * Records of one partition that may be handed out and not resolved; a crash repeats as many at most.
   * @default 256
   */
  window?: number;
  /** The same while one of them is parked. @default `window`; 0 with `transactions`, which are in order */
  windowWhileParked?: number;
  /** How often new partitions are looked for, in ms. @default 30000 */
  discoveryIntervalMs?: number;
  /** How often offsets are committed, in ms. Longer: more records are read twice after a crash. @default 1000 */
  commitIntervalMs?: number;
  /** How often the ends of partitions that are not fetched are asked for, in ms; for the lag only. @default 30000 */
  lagIntervalMs?: number;
  /**
   * How long a rebalance is held up for the records in flight, in ms: what is resolved by then is not read
   * twice.
   * @default 1000
   */
  revokeDrainMs?: number;
  /** How long `close` waits for the broker, in ms. @default 2000 */
  closeTimeoutMs?: number;
  /** Commits offsets in transactions of its own, one for each partition; then the source commits none. */
  transactions?: PartitionFence;
  faults?: FaultPoints | undefined;
  /** Makes the member of the group, for tests. @default a GroupConsumer */
  createConsumer?: (options: GroupConsumerOptions) => GroupMember;
}

/** A source that knows what is to be noted beside a committed offset. */
export interface NotingEventSource extends EventSource {
  /** The metadata to commit with the next offset of a partition. */
  note(partition: TopicPartition): string;
}

/** What a source asks of its member of the group. */
export type GroupMember = Pick<
  GroupConsumer,
  'run' | 'commit' | 'nudge' | 'rewind' | 'readings' | 'refreshEnds' | 'stopFetching' | 'close'
>;

/** Who else might commit for a partition is fenced off before anything of it is read. */
export interface PartitionFence {
  /**
   * Resolves when nobody but us can commit for `partitions` in a transaction, and whoever had them before has
   * committed or lost what was under way. `others: 'release'` says that these are all that we have.
   */
  acquire(partitions: readonly TopicPartition[], others: 'keep' | 'release'): Promise<void>;
  /** Commits these offsets again with their notes, in transactions without messages. */
  note(commits: ReadonlyArray<Required<OffsetCommit>>): Promise<void>;
}

export type KafkaSettings = KafkaEventSourceOptions &
  Required<
    Omit<
      KafkaEventSourceOptions,
      'logger' | 'transactions' | 'faults' | 'instanceId' | 'createConsumer'
    >
  >;

export function withDefaults(options: KafkaEventSourceOptions): KafkaSettings {
  return {
    startFrom: 'earliest',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    heartbeatIntervalMs: 1_000,
    maxWaitMs: 200,
    maxFetchBytes: 8 * 1024 * 1024,
    window: 256,
    windowWhileParked: options.transactions ? 0 : (options.window ?? 256),
    discoveryIntervalMs: 30_000,
    commitIntervalMs: 1_000,
    lagIntervalMs: 30_000,
    revokeDrainMs: 1_000,
    closeTimeoutMs: 2_000,
    ...options,
  };
}
