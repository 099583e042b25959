import type { Clock } from '../../clock.ts';
import { groupByTopic, keyOf, type TopicPartition } from '../by-topic.ts';
import { ask, leadersOf, type Broker, type Cluster } from '../cluster.ts';
import { openTransactions, type OpenTransaction } from '../describe-producers.ts';
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

  openTransactions(partitions: readonly TopicPartition[]): Promise<OpenTransaction[]> {
    return this.#askLeaders(partitions, 'producers', openTransactions);
  }

  async #list(partitions: readonly TopicPartition[], timestamp: number): Promise<PartitionStart[]> {
    const answers = await this.#askLeaders(partitions, 'offsets', async (broker, led) => {
      const topics = groupByTopic(led, ({ partition }) => ({ partition, timestamp }));
      return flatten(await ask<OffsetAnswer>(broker, 'ListOffsets', { isolationLevel: 1, topics }));
    });
    return answers.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  }

  /** Asks each leader for those of the partitions that it leads. */
  async #askLeaders<T>(
    partitions: readonly TopicPartition[],
    what: string,
    question: (broker: Broker, led: readonly TopicPartition[]) => Promise<T[]>,
  ): Promise<T[]> {
    const { cluster, clock } = this.#options;
    const wanted = new Set(partitions.map(keyOf));
    const led = [...new Set(partitions.map(({ topic }) => topic))]
      .flatMap((topic) => leadersOf(cluster, topic))
      .filter((each) => wanted.has(keyOf(each)));
    const answers = await Promise.all(
      [...Map.groupBy(led, ({ leader }) => leader)].map(([nodeId, theirs]) => {
        const work = cluster.findBroker({ nodeId }).then((broker) => question(broker, theirs));
        const doing = `asking broker ${nodeId} for ${what}`;
        return within(work, { clock, ms: ANSWER_TIMEOUT_MS, doing });
      }),
    );
    return answers.flat();
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
