import { AppError } from '../errors.ts';
import { useAdmin } from './admin.ts';
import type { KafkaClient } from './client.ts';
import { commitGroupOffset, type GroupOffset } from './group-offset.ts';
import { rangesOf, readRanges } from './read-range.ts';
import type { KafkaRecord } from './record.ts';

export interface RecordPosition {
  topic: string;
  partition: number;
  offset: number;
}

/**
 * The record at a position. Throws AppError `usage` when there is none: it says what the partition holds, or that the
 * offset is that of a marker or of an aborted or compacted record. Throws what `rangesOf` and `readRanges` do.
 */
export async function readRecord(
  kafka: KafkaClient,
  { topic, partition, offset }: RecordPosition,
  signal?: AbortSignal,
): Promise<KafkaRecord> {
  const range = await partitionOf(kafka, topic, partition);
  if (offset < range.from || offset >= range.to) {
    const held = range.from < range.to ? `holds ${range.from} to ${range.to - 1}` : 'is empty';
    throw new AppError(
      'usage',
      `there is no ${topic}/${partition}/${offset}: the partition ${held}`,
    );
  }
  const found = await firstRecord(
    kafka,
    { topic, partition, from: offset, to: offset + 1 },
    signal,
  );
  if (found) return found;
  throw new AppError(
    'usage',
    `there is no record at ${topic}/${partition}/${offset}: the offset is that of a transaction's end, or of a record that was aborted or compacted away`,
  );
}

export interface SkipOptions {
  groupId: string;
  /** Where a group without committed offsets begins. */
  startFrom: 'earliest' | 'latest';
  signal?: AbortSignal | undefined;
}

/**
 * Commits the offset after one record, which must be the next that the group reads. Returns what was committed. Nothing
 * else is skipped: a record further on is refused, since that would skip those before it too.
 *
 * Throws AppError `usage` when the group has members, or when the record is not the next one; and what `readRecord` does.
 */
export async function skipRecord(
  kafka: KafkaClient,
  position: RecordPosition,
  { groupId, startFrom, signal }: SkipOptions,
): Promise<GroupOffset> {
  const { topic, partition, offset } = position;
  const refuse = (why: string): AppError =>
    new AppError(
      'usage',
      `skipping ${topic}/${partition}/${offset}: ${why}; nothing was committed`,
    );
  await readRecord(kafka, position, signal);
  const { members, committed } = await useAdmin(
    kafka,
    `asking about group ${groupId}`,
    async (admin) => ({
      members: await admin.memberCount(groupId),
      committed: (await admin.committed(groupId, topic)).get(partition),
    }),
  );
  if (members > 0) {
    const some = members === 1 ? '1 active member' : `${members} active members`;
    throw refuse(`group ${groupId} has ${some}: stop every instance first`);
  }
  const range = await partitionOf(kafka, topic, partition);
  const start = startFrom === 'earliest' ? range.from : range.to;
  const next = committed === undefined ? start : Math.max(committed, range.from);
  if (next > offset) throw refuse(`group ${groupId} is past it, at ${next}`);
  const first = await firstRecord(kafka, { topic, partition, from: next, to: offset + 1 }, signal);
  if (first?.offset !== offset) {
    throw refuse(
      `group ${groupId} reads ${partition}/${first?.offset ?? next} first, which would be skipped with it`,
    );
  }
  const commit = { groupId, topic, partition, offset: offset + 1 };
  await commitGroupOffset(kafka, commit);
  return commit;
}

async function partitionOf(
  kafka: KafkaClient,
  topic: string,
  partition: number,
): Promise<{ from: number; to: number }> {
  const ranges = await rangesOf(kafka, [topic]);
  const range = ranges.find((each) => each.partition === partition);
  if (range) return range;
  throw new AppError('usage', `${topic} has no partition ${partition}: it has ${ranges.length}`);
}

async function firstRecord(
  kafka: KafkaClient,
  range: { topic: string; partition: number; from: number; to: number },
  signal: AbortSignal | undefined,
): Promise<KafkaRecord | undefined> {
  let found: KafkaRecord | undefined;
  const enough = new AbortController();
  const either = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal;
  try {
    await readRanges({
      kafka,
      ranges: [range],
      signal: either,
      onRecord: (record) => {
        found ??= record;
        enough.abort();
      },
    });
  } catch (error) {
    if (!found || signal?.aborted) throw error;
  }
  return found;
}
