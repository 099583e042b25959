import { toKafkaRecord, type FetchedMessage } from '../fetched-message.ts';
import { requestFor, type Broker } from '../cluster.ts';
import { groupByTopic } from './positions.ts';
import type { Fetched, Reading } from './reading.ts';

/** What is asked of one partition. */
export interface FetchTarget {
  reading: Reading;
  offset: number;
  maxBytes: number;
}

/** What the broker says of one partition. */
export interface FetchedPartition {
  target: FetchTarget;
  /** 0 where there is none. */
  errorCode: number;
  end: number;
  lastStable: number;
  logStart: number;
  fetched: Fetched;
  wireBytes: number;
}

interface FetchAnswer {
  errorCode?: number;
  throttleTime: number;
  clientSideThrottleTime?: number;
  responses: Array<{
    topicName: string;
    partitions: Array<{
      partition: number;
      errorCode: number;
      highWatermark: string;
      lastStableOffset: string;
      lastStartOffset?: string;
      messages: FetchedMessage[];
      nextOffset?: number;
      bytes?: number;
      wireBytes?: number;
    }>;
  }>;
}

export interface FetchLimits {
  /** How long the broker waits for the first record, in ms. */
  maxWaitMs: number;
  /** Of a whole answer, unless its first batch is larger, in bytes. */
  maxBytes: number;
}

/** One fetch from one broker. Unlike kafkajs' own, an error of one partition does not strike the others. */
export async function fetchFrom(
  broker: Broker,
  targets: readonly FetchTarget[],
  { maxWaitMs, maxBytes }: FetchLimits,
): Promise<{ throttleMs: number; errorCode: number; partitions: FetchedPartition[] }> {
  const wanted = targets.map(({ reading, offset, maxBytes: limit }) => ({
    topic: reading.topic,
    partition: reading.partition,
    fetchOffset: String(offset),
    maxBytes: limit,
  }));
  const request = requestFor(broker, 'Fetch', {
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: 1,
    rackId: '',
    topics: groupByTopic(wanted, ({ partition, fetchOffset, maxBytes: limit }) => ({
      partition,
      fetchOffset,
      maxBytes: limit,
    })),
  });
  const answer = (await broker.connectionPool.send({
    ...request,
    response: { decode: (data) => request.response.decode(data), parse: (decoded) => decoded },
  })) as FetchAnswer;
  const byPartition = new Map(targets.map((target) => [keyOf(target.reading), target]));
  return {
    throttleMs: Math.max(answer.throttleTime, answer.clientSideThrottleTime ?? 0),
    errorCode: answer.errorCode ?? 0,
    partitions: answer.responses.flatMap(({ topicName: topic, partitions }) =>
      partitions.flatMap((each) => {
        const target = byPartition.get(keyOf({ topic, partition: each.partition }));
        return target ? [read(target, each)] : [];
      }),
    ),
  };
}

function read(
  target: FetchTarget,
  answer: FetchAnswer['responses'][number]['partitions'][number],
): FetchedPartition {
  const { topic, partition } = target.reading;
  const { messages } = answer;
  const last = messages.at(-1);
  const behindLast = last === undefined ? target.offset : Number(last.offset) + 1;
  const records = messages
    .filter((message) => !message.isControlRecord && Number(message.offset) >= target.offset)
    .map((message) => toKafkaRecord(topic, partition, message));
  const bytes = answer.bytes ?? records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  return {
    target,
    errorCode: answer.errorCode,
    end: Number(answer.highWatermark),
    lastStable: Number(answer.lastStableOffset),
    logStart: Number(answer.lastStartOffset ?? -1),
    fetched: {
      topic,
      partition,
      records,
      bytes,
      next: Math.max(target.offset, behindLast, answer.nextOffset ?? 0),
    },
    wireBytes: answer.wireBytes ?? bytes,
  };
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}
