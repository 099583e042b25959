import type { TopicPartition } from './assignment.ts';
import type { AssignmentChange } from './membership.ts';
import type { Fetched } from './reading.ts';

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
