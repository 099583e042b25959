/**
 * Kafka in: where records come from and how they are acknowledged. An adapter tracks the offsets it handed
 * out and commits, for each partition, the highest contiguous resolved offset + 1.
 * This room knows nothing of images, models or policies.
 */
import type { KafkaRecord } from '../kafka/record.ts';

/** A record on loan: its offset is not committed before `resolve` has been called. */
export interface Delivery {
  readonly record: KafkaRecord;
  /**
   * Aborts when the record is not ours any more: its partition was revoked or is read anew. It is delivered again,
   * perhaps to somebody else, so work on it can stop.
   */
  readonly revoked: AbortSignal;
  /** Says that the record's outcome is acknowledged. Idempotent; without effect once the partition is revoked. */
  resolve(): void;
  /**
   * Says that the record waits for an outage to end: its partition is paused until what is returned was called, so
   * that nothing more is taken of what the same outage would hold.
   */
  hold(): () => void;
  /**
   * Says that what is in flight of the record's partition cannot be acknowledged: all of it is revoked, and read
   * again from the committed offset once the group has confirmed that the partition is still ours.
   */
  rewind(): void;
}

export interface PartitionStatus {
  topic: string;
  partition: number;
  /** The next offset to be read by whoever owns the partition after us; -1 before the first commit. */
  committed: number;
  /** Records in the partition not yet resolved; null until the broker has told its end offset. */
  lag: number | null;
}

export interface SourceStatus {
  /** True while the consumer is able to receive records; false after a crash it does not recover from. */
  alive: boolean;
  /** True from the first assignment on, even an empty one. */
  assigned: boolean;
  paused: boolean;
  partitions: PartitionStatus[];
}

export interface EventSource {
  /**
   * The records, in order within a partition. Pulling is the back-pressure: while nobody pulls, the adapter
   * keeps its membership of the group alive, pauses fetching and holds at most one fetch in memory.
   * Ends after `stop()`. Throws AppError `consumer_crashed`, `topic_missing`, `kafka_unauthorized` or
   * `kafka_unavailable` when the consumer cannot go on.
   */
  deliveries(): AsyncIterable<Delivery>;
  /** Stops fetching and ends `deliveries()`; membership and resolved offsets are kept until `close()`. */
  stop(): Promise<void>;
  /** Commits what is resolved and leaves the group. Idempotent. */
  close(): Promise<void>;
  status(): SourceStatus;
}
