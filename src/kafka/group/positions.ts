import type { Clock } from '../../clock.ts';
import { groupByTopic, keyOf, type TopicPartition } from '../by-topic.ts';
import { ask, type Cluster } from '../cluster.ts';
import { within } from '../within.ts';
import type { PartitionStart } from './assignment.ts';
import type { Coordinator } from './coordinator.ts';

/** What the group has committed for a partition. */
export interface Committed extends TopicPartition {
  /** The next offset to be read; -1 when there is no commit. */
  offset: number;
  metadata: string;
}

interface OffsetAnswer {
  responses: Array<{
    topic: string;
    partitions: Array<{ partition: number; offset: string; metadata?: string | null }>;
  }>;
}

const ANSWER_TIMEOUT_MS = 15_000;
const EARLIEST = -2;
const LATEST = -1;

export interface PositionsOptions {
  cluster: Cluster;
  coordinator: Coordinator;
  clock: Clock;
  startFrom: 'earliest' | 'latest';
}

/** Asks brokers for offsets: what the group has committed, and where logs begin and end. */
export class Positions {
  readonly #options: PositionsOptions;

  constructor(options: PositionsOptions) {
    this.#options = options;
  }

  async committed(partitions: readonly TopicPartition[]): Promise<Committed[]> {
    if (partitions.length === 0) return [];
    const topics = groupByTopic(partitions, ({ partition }) => ({ partition }));
    const { coordinator } = this.#options;
    const answer = await coordinator.ask<OffsetAnswer>(
      'OffsetFetch',
      { topics },
      ANSWER_TIMEOUT_MS,
    );
    return flatten(answer).map(({ metadata, ...each }) => ({ ...each, metadata: metadata ?? '' }));
  }

  logStarts(partitions: readonly TopicPartition[]): Promise<PartitionStart[]> {
    return this.#list(partitions, EARLIEST);
  }

  /** Ends as `read_committed` sees them: the last stable offset. */
  logEnds(partitions: readonly TopicPartition[]): Promise<PartitionStart[]> {
    return this.#list(partitions, LATEST);
  }

  /**
   * Where the partitions without a commit begin. A group that has no commit at all begins where `startFrom` says. In
   * a group that has some, a partition without one is new, so it is read from its beginning.
   *
   * @param partitions - every partition of the topics
   */
  async starts(partitions: readonly TopicPartition[]): Promise<PartitionStart[]> {
    const committed = await this.committed(partitions);
    const without = committed.filter(({ offset }) => offset < 0);
    const isNewGroup = without.length === committed.length;
    return isNewGroup && this.#options.startFrom === 'latest'
      ? this.logEnds(without)
      : this.logStarts(without);
  }

  async #list(partitions: readonly TopicPartition[], timestamp: number): Promise<PartitionStart[]> {
    const { cluster, clock } = this.#options;
    const wanted = new Set(partitions.map(keyOf));
    const byLeader = new Map<number, TopicPartition[]>();
    for (const topic of new Set(partitions.map((each) => each.topic))) {
      for (const { partitionId, leader } of cluster.findTopicPartitionMetadata(topic)) {
        const each = { topic, partition: partitionId };
        if (!wanted.has(keyOf(each))) continue;
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), each]);
      }
    }
    const answers = await Promise.all(
      [...byLeader].map(async ([nodeId, led]) => {
        const topics = groupByTopic(led, ({ partition }) => ({ partition, timestamp }));
        const work = cluster
          .findBroker({ nodeId })
          .then((broker) =>
            ask<OffsetAnswer>(broker, 'ListOffsets', { isolationLevel: 1, topics }),
          );
        const doing = `asking broker ${nodeId} for offsets`;
        return flatten(await within(work, { clock, ms: ANSWER_TIMEOUT_MS, doing }));
      }),
    );
    return answers.flat().map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  }
}

function flatten(
  answer: OffsetAnswer,
): Array<PartitionStart & { metadata?: string | null | undefined }> {
  return answer.responses.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset, metadata }) => ({
      topic,
      partition,
      offset: Number(offset),
      metadata,
    })),
  );
}
