import type {
  FetchResponse,
  FetchedPartition as DecodedPartition,
} from '../fetch/fetch-response.ts';
import { toKafkaRecord } from '../fetch/fetched-message.ts';
import type { KafkaRecord } from '../record.ts';
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
  fetched: Fetched;
  wireBytes: number;
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
  })) as FetchResponse;
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

function read(target: FetchTarget, answer: DecodedPartition): FetchedPartition {
  const { topic, partition } = target.reading;
  const { records, bytes, nextOffset } = answer;
  return {
    target,
    errorCode: answer.errorCode,
    end: Number(answer.highWatermark),
    lastStable: Number(answer.lastStableOffset),
    fetched: {
      topic,
      partition,
      records: visible(records, target),
      bytes,
      next: Math.max(target.offset, nextOffset ?? 0),
    },
    wireBytes: Math.min(bytes, target.maxBytes),
  };
}

/** Decodes one record at a time: a batch of millions of small ones takes no more memory than its bytes. */
function* visible(
  messages: DecodedPartition['records'],
  { reading: { topic, partition }, offset }: FetchTarget,
): Generator<KafkaRecord, undefined> {
  for (const message of messages) {
    if (message.isControlRecord || message.position < offset) continue;
    yield toKafkaRecord(topic, partition, message);
  }
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}
