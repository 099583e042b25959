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
   * Says that the record waits for an absent dependency: it is parked until what is returned was called. Later records
   * of its partition are delivered only as far as the source's window allows.
   */
  park(): () => void;
  /** Says what the record has cost in decoding and inference, in ms, so that partitions share those fairly. */
  spent(costMs: number): void;
  /**
   * Says that what is in flight of the record's partition cannot be acknowledged: all of it is revoked, and read
   * again from the committed offset once the group has confirmed that the partition is still ours.
   */
  rewind(): void;
  /**
   * Set for a record that was in flight when a process died of an unexplained error. It is delivered alone: nothing
   * else is in flight until it is resolved.
   */
  readonly suspicion?: DeliverySuspicion | undefined;
}

export interface DeliverySuspicion {
  /** Deaths while the record was in flight. */
  deaths: number;
  /** Deaths while it was the only record in flight. */
  alone: number;
  /** What the last death was. */
  fault: string;
}

export interface PartitionStatus {
  topic: string;
  partition: number;
  /** The next offset to be read by whoever owns the partition after us; -1 before the first commit. */
  committed: number;
  /** The offset before which everything delivered is resolved; -1 while unknown. */
  position?: number;
  /** Records in the partition not yet resolved; null until the broker has told its end offset. */
  lag: number | null;
  /** Records that wait for an absent dependency. */
  parked?: number;
  /** The offset behind the last record, and the one that an open transaction holds readers back at. */
  end?: number | undefined;
  lastStable?: number | undefined;
  /** The id of that transaction's producer, where it is known. */
  openProducer?: string | undefined;
}

export interface SourceStatus {
  /** True while the consumer is able to receive records; false after a crash it does not recover from. */
  alive: boolean;
  /** True from the first assignment on, even an empty one. */
  assigned: boolean;
  /** True while records wait and nothing pulls them. */
  paused: boolean;
  /** How long brokers have asked this client to slow down, together, in ms. */
  throttledMs?: number;
  partitions: PartitionStatus[];
}

export interface EventSource {
  /**
   * The records, in order within a partition; partitions take turns by what their records cost. Pulling is the
   * back-pressure: while nobody pulls, the adapter keeps its membership of the group alive, and what it has fetched
   * is bounded in bytes.
   * Ends after `stop()`. Throws AppError `consumer_crashed`, `topic_missing`, `kafka_unauthorized` or
   * `kafka_unavailable` when the consumer cannot go on; `config_invalid` when another process has taken its instance
   * id.
   */
  deliveries(): AsyncIterable<Delivery>;
  /** Stops fetching and ends `deliveries()`; membership and resolved offsets are kept until `close()`. */
  stop(): Promise<void>;
  /**
   * Remembers, beside the committed offsets, that the process dies of an unexplained error while `records` are in
   * flight; all that are, where it is not given. Its next owner delivers them one at a time. Never rejects.
   */
  accuse(fault: string, records?: readonly KafkaRecord[]): Promise<void>;
  /** Commits what is resolved and leaves the group. Idempotent. */
  close(): Promise<void>;
  status(): SourceStatus;
}
