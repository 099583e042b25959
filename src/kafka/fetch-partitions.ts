import { groupByTopic, type TopicPartition } from './by-topic.ts';
import { ask, type Broker } from './cluster.ts';
import { fetchFrom, type FetchLimits } from './fetch-request.ts';
import type { KafkaRecord } from './record.ts';

export interface FetchPosition extends TopicPartition {
  /** The first offset that is wanted. */
  offset: number;
}

/** What a broker answers for one partition. */
export interface FetchedPartition extends FetchPosition {
  /** 0 for success. */
  errorCode: number;
  /** From `offset` on, without markers and records of aborted transactions. */
  records: KafkaRecord[];
  /** The offset to go on with: markers, aborted records and compacted ones are passed. */
  next: number;
}

const READ_COMMITTED = 1;
const EARLIEST = -2;

/** One fetch of committed records from one broker, without a consumer group. Throws what kafkajs throws. */
export async function fetchPartitions(
  broker: Broker,
  positions: readonly FetchPosition[],
  limits: FetchLimits,
): Promise<FetchedPartition[]> {
  const { maxBytes } = limits;
  const targets = positions.map((position) => ({ ...position, maxBytes }));
  const { partitions } = await fetchFrom(broker, targets, limits);
  return partitions.map(({ target: { topic, partition, offset }, errorCode, records, next }) => ({
    topic,
    partition,
    offset,
    errorCode,
    records: [...records],
    next,
  }));
}

/** The first offset that each partition still holds. `broker` must lead all of them. Throws what kafkajs throws. */
export async function logStarts(
  broker: Broker,
  partitions: readonly TopicPartition[],
): Promise<Array<TopicPartition & { offset: number }>> {
  const { responses } = await ask<{
    responses: Array<{ topic: string; partitions: Array<{ partition: number; offset: string }> }>;
  }>(broker, 'ListOffsets', {
    isolationLevel: READ_COMMITTED,
    topics: groupByTopic(partitions, ({ partition }) => ({ partition, timestamp: EARLIEST })),
  });
  return responses.flatMap(({ topic, partitions: answers }) =>
    answers.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
  );
}
