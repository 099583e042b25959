import { AppError, messageOf } from '../../errors.ts';
import type { AbortedTransaction } from '../aborted-transactions.ts';
import { ByteReader } from './byte-reader.ts';
import type { FetchedMessage } from './fetched-message.ts';
import type { FetchLimits } from './limits.ts';
import { readRecordSet, type ExpansionBudget, type FetchedRecords } from './record-set.ts';

/** A fetch response in the shape that kafkajs gives it. */
export interface FetchResponse {
  throttleTime: number;
  /** ms that the broker expects the client to wait (KIP-219); from version 8. */
  clientSideThrottleTime?: number;
  errorCode?: number;
  sessionId?: number;
  responses: FetchedTopic[];
}

export interface FetchedTopic {
  topicName: string;
  partitions: FetchedPartition[];
}

interface PartitionHeader {
  partition: number;
  /** Kafka's; 2 (CORRUPT_MESSAGE) also when no batch can be told from the next. */
  errorCode: number;
  highWatermark: string;
  lastStableOffset: string;
  /** From version 5. */
  lastStartOffset: string | undefined;
  /** From version 11; -1: the leader. */
  preferredReadReplica: number | undefined;
}

/** One partition's part of a fetch response. */
export class FetchedPartition implements PartitionHeader {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly lastStartOffset: string | undefined;
  readonly preferredReadReplica: number | undefined;
  /** Nothing is left for kafkajs to filter: records of aborted transactions are control records already. */
  readonly abortedTransactions: [] = [];
  readonly records: FetchedRecords;
  #messages: FetchedMessage[] | undefined;

  constructor(header: PartitionHeader, records: FetchedRecords) {
    this.partition = header.partition;
    this.errorCode = header.errorCode;
    this.highWatermark = header.highWatermark;
    this.lastStableOffset = header.lastStableOffset;
    this.lastStartOffset = header.lastStartOffset;
    this.preferredReadReplica = header.preferredReadReplica;
    this.records = records;
  }

  get nextOffset(): number | undefined {
    return this.records.nextOffset;
  }

  get bytes(): number {
    return this.records.bytes;
  }

  /** All at once, for kafkajs' own consumer; `records` takes memory for one at a time. */
  get messages(): FetchedMessage[] {
    return (this.#messages ??= [...this.records]);
  }
}

/** The shortest topic is an empty name and no partition; the shortest partition has no batch. */
const MIN_TOPIC_BYTES = 6;
const MIN_PARTITION_BYTES = 30;
const ABORTED_TRANSACTION_BYTES = 16;
const CORRUPT_MESSAGE = 2;

/**
 * Decodes a Fetch response of version 4 to 11 (protocol guide, "Fetch API"). No record batch makes it fail: see
 * `messagesOf`. Throws AppError `kafka_unavailable` when the response around them is not what the protocol says.
 */
export async function decodeFetchResponse(
  version: number,
  data: Buffer,
  limits: FetchLimits,
): Promise<FetchResponse> {
  const reader = new ByteReader(data);
  const budget: ExpansionBudget = { left: limits.maxResponseBytes };
  try {
    const throttle = reader.int32();
    const session = version >= 7 && { errorCode: reader.int16(), sessionId: reader.int32() };
    const responses: FetchedTopic[] = [];
    for (let left = reader.count(MIN_TOPIC_BYTES); left > 0; left -= 1) {
      const topicName = reader.string();
      const partitions: FetchedPartition[] = [];
      for (let more = reader.count(MIN_PARTITION_BYTES); more > 0; more -= 1) {
        partitions.push(await readPartition(version, reader, limits, budget));
      }
      responses.push({ topicName, partitions });
    }
    // From version 8 the client waits, not the broker (KIP-219); kafkajs tells them apart by these two names.
    if (version < 8) return { throttleTime: throttle, ...session, responses };
    return { throttleTime: 0, clientSideThrottleTime: throttle, ...session, responses };
  } catch (error) {
    throw new AppError('kafka_unavailable', `reading a fetch response: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function readPartition(
  version: number,
  reader: ByteReader,
  limits: FetchLimits,
  budget: ExpansionBudget,
): Promise<FetchedPartition> {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  const lastStartOffset = version >= 5 ? reader.int64() : undefined;
  const aborted: AbortedTransaction[] = [];
  for (let left = reader.count(ABORTED_TRANSACTION_BYTES); left > 0; left -= 1) {
    aborted.push({ producerId: reader.int64(), firstOffset: Number(reader.int64()) });
  }
  const preferredReadReplica = version >= 11 ? reader.int32() : undefined;
  const size = Math.max(0, reader.int32());
  const start = reader.position;
  reader.skip(size);
  const bytes = reader.buffer.subarray(start, start + size);
  const { records, isUnreadable } = await readRecordSet(bytes, aborted, limits, budget);
  return new FetchedPartition(
    {
      partition,
      errorCode: isUnreadable && errorCode === 0 ? CORRUPT_MESSAGE : errorCode,
      highWatermark,
      lastStableOffset,
      lastStartOffset,
      preferredReadReplica,
    },
    records,
  );
}
