import type {
  FetchResponse,
  FetchedPartition as DecodedPartition,
} from './fetch/fetch-response.ts';
import { toKafkaRecord } from './fetch/fetched-message.ts';
import type { KafkaRecord } from './record.ts';
import { requestFor, type Broker } from './cluster.ts';
import { protocolError } from './errors.ts';
import { groupByTopic, keyOf } from './by-topic.ts';

const READ_COMMITTED = 1;

/** What is asked of one partition. */
export interface FetchTarget {
  topic: string;
  partition: number;
  /** The first offset that is wanted. */
  offset: number;
  /** Of its records in the answer, unless its first batch is larger, in bytes. */
  maxBytes: number;
}

/** What the broker says of one partition. */
export interface FetchedPartition<T extends FetchTarget> {
  target: T;
  /** 0 where there is none. */
  errorCode: number;
  /** The offset behind the last record, and the one before which no transaction is open. */
  end: number;
  lastStable: number;
  /** From `offset` on, without markers and records of aborted transactions; decoded as they are taken, once. */
  records: Iterable<KafkaRecord>;
  /** Memory that the records take, in bytes, and what came over the wire at most. */
  bytes: number;
  wireBytes: number;
  /** The offset to go on with: markers, aborted records and compacted ones are passed. */
  next: number;
}

export interface FetchLimits {
  /** How long the broker waits for the first record, in ms. */
  maxWaitMs: number;
  /** Of a whole answer, unless its first batch is larger, in bytes. */
  maxBytes: number;
}

/** One fetch from one broker. Unlike kafkajs' own, an error of one partition does not strike the others. */
export async function fetchFrom<T extends FetchTarget>(
  broker: Broker,
  targets: readonly T[],
  { maxWaitMs, maxBytes }: FetchLimits,
): Promise<{ throttleMs: number; partitions: Array<FetchedPartition<T>> }> {
  const request = requestFor(broker, 'Fetch', {
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: READ_COMMITTED,
    rackId: '',
    topics: groupByTopic(targets, ({ partition, offset, maxBytes: limit }) => ({
      partition,
      fetchOffset: String(offset),
      maxBytes: limit,
    })),
  });
  const answer = (await broker.connectionPool.send({
    ...request,
    response: { decode: (data) => request.response.decode(data), parse: (decoded) => decoded },
  })) as FetchResponse;
  if (answer.errorCode) throw protocolError(answer.errorCode);
  const asked = new Map(targets.map((target) => [keyOf(target), target]));
  return {
    throttleMs: Math.max(answer.throttleTime, answer.clientSideThrottleTime ?? 0),
    partitions: answer.responses.flatMap(({ topicName: topic, partitions }) =>
      partitions.flatMap((each) => {
        const target = asked.get(keyOf({ topic, partition: each.partition }));
        return target ? [read(target, each)] : [];
      }),
    ),
  };
}

function read<T extends FetchTarget>(target: T, answer: DecodedPartition): FetchedPartition<T> {
  const { records, bytes, nextOffset } = answer;
  return {
    target,
    errorCode: answer.errorCode,
    end: Number(answer.highWatermark),
    lastStable: Number(answer.lastStableOffset),
    records: visible(records, target),
    bytes,
    wireBytes: Math.min(bytes, target.maxBytes),
    next: Math.max(target.offset, nextOffset ?? 0),
  };
}

/** Decodes one record at a time: a batch of millions of small ones takes no more memory than its bytes. */
function* visible(
  messages: DecodedPartition['records'],
  { topic, partition, offset }: FetchTarget,
): Generator<KafkaRecord, undefined> {
  for (const message of messages) {
    if (message.isControlRecord || message.position < offset) continue;
    yield toKafkaRecord(topic, partition, message);
  }
}
