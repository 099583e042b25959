import { createRequire } from 'node:module';
import { ask, requestFor, type Broker } from './cluster.ts';
import { toKafkaRecord, type FetchedMessage } from './fetched-message.ts';
import type { KafkaRecord } from './record.ts';

interface TopicPartition {
  topic: string;
  partition: number;
}

export interface FetchPosition extends TopicPartition {
  /** The first offset that is wanted. */
  offset: number;
}

export interface FetchLimits {
  /** How long the broker waits for the first record, in ms. */
  maxWaitMs: number;
  /** Bytes of one answer; a larger batch comes alone. */
  maxBytes: number;
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

interface FetchAnswer {
  responses: Array<{
    topicName: string;
    partitions: Array<{
      partition: number;
      errorCode: number;
      messages: FetchedMessage[];
      /** The offset after the last batch, where the decoder tells it. */
      nextOffset?: number | undefined;
    }>;
  }>;
}

const READ_COMMITTED = 1;
const EARLIEST = -2;

const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error;
};

/** The error that a code of the protocol stands for, as kafkajs throws it. */
export function protocolError(code: number): Error {
  return createErrorFromCode(code);
}

/**
 * One fetch of committed records from one broker, without a consumer group. An error code of one partition leaves the
 * others as they are, unlike kafkajs' own parsing, which throws for all of them.
 */
export async function fetchPartitions(
  broker: Broker,
  positions: readonly FetchPosition[],
  { maxWaitMs, maxBytes }: FetchLimits,
): Promise<FetchedPartition[]> {
  const request = requestFor(broker, 'Fetch', {
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: READ_COMMITTED,
    rackId: '',
    topics: byTopic(positions, ({ partition, offset }) => ({
      partition,
      fetchOffset: String(offset),
      maxBytes,
    })),
  });
  const answer = (await broker.connectionPool.send({
    ...request,
    response: { decode: (data) => request.response.decode(data), parse: (decoded) => decoded },
  })) as FetchAnswer;
  const asked = new Map(positions.map((position) => [keyOf(position), position]));
  return answer.responses.flatMap(({ topicName: topic, partitions }) =>
    partitions.flatMap(({ partition, errorCode, messages, nextOffset = 0 }) => {
      const position = asked.get(keyOf({ topic, partition }));
      if (!position) return [];
      const next = Math.max(nextAfter(messages, position.offset), nextOffset);
      const records = messages
        .filter((message) => !message.isControlRecord && Number(message.offset) >= position.offset)
        .map((message) => toKafkaRecord(topic, partition, message));
      return [{ ...position, errorCode, records, next }];
    }),
  );
}

/** A batch whose last records were compacted away ends before the offset that was asked for, and comes again. */
function nextAfter(messages: readonly FetchedMessage[], asked: number): number {
  const last = messages.at(-1);
  return last === undefined ? asked : Math.max(asked, Number(last.offset)) + 1;
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
    topics: byTopic(partitions, ({ partition }) => ({ partition, timestamp: EARLIEST })),
  });
  return responses.flatMap(({ topic, partitions: answers }) =>
    answers.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
  );
}

/** The shape that kafkajs' requests take. */
function byTopic<P extends TopicPartition, T>(
  partitions: readonly P[],
  map: (partition: P) => T,
): Array<{ topic: string; partitions: T[] }> {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, each]) => ({
    topic,
    partitions: each.map(map),
  }));
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`; // a topic's name has no slash
}
