import type { TopicPartition } from '../by-topic.ts';
import type { PartitionStart } from './assignment.ts';
import type { Fetched } from './reading.ts';

/** An offset to commit: the next to be read. */
export interface OffsetCommit extends TopicPartition {
  offset: number;
  metadata?: string;
}

/** What a new generation of the group means for this member. */
export interface AssignmentChange {
  generation: number;
  /** Read without interruption since the last generation: no other member had them in between. */
  kept: TopicPartition[];
  /** To be read from the committed offset, once positions are known. */
  gained: TopicPartition[];
  /** Read by another member from now on, or gained once more. */
  lost: TopicPartition[];
  /** Where gained partitions without a commit begin, as the group's leader has found. */
  starts: PartitionStart[];
}

/** A partition that can be read from now on. */
export interface ReadyPartition extends TopicPartition {
  /** What the group has committed; -1 when there is no commit. */
  committed: number;
  /** The note that was committed with it; empty where there is none. */
  metadata: string;
  /** Where reading begins. */
  start: number;
}

/** Records that retention has deleted before they were read. */
export interface Deleted extends TopicPartition {
  from: number;
  /** The offset after the last. */
  to: number;
}

/** What happens to a member; all calls but `onRebalancing` and `beforeReady` must return at once. */
export interface GroupHandler {
  onAssigned(change: AssignmentChange): void;
  onReady(ready: ReadyPartition): void;
  onFetched(fetched: Fetched): void;
  /** The group is about to be joined again. What is resolved when this settles is not read twice. */
  onRebalancing(): Promise<void>;
  onDeleted(deleted: Deleted): void;
  onThrottled(throttleMs: number, nodeId: number): void;
  /** The member cannot go on. */
  onFailure(error: Error): void;
  /** Memory that more records of the partition may take now, in bytes; 0 pauses it. */
  roomFor(partition: TopicPartition): number;
  /**
   * Awaited before committed offsets are asked for: fences off former owners. Tried again when it throws.
   * `others: 'release'` says that these are all that this member reads.
   */
  beforeReady?(partitions: readonly TopicPartition[], others: 'keep' | 'release'): Promise<void>;
}
