/**
 * Reading a stretch of topics once, from here to there, outside any group that does work: for commands that look
 * back at what was published.
 */
import type { Admin } from 'kafkajs';
import type { KafkaClient } from '../kafka/client.ts';
import { AppError } from '../errors.ts';
import { missingTopics, withAdmin } from '../kafka/topics.ts';
import { RangePositions, type OffsetRange } from './range-positions.ts';
import { RangeReader, type ReadRangesOptions } from './range-reader.ts';

export type { OffsetRange } from './range-positions.ts';
export type { ReadRangesOptions } from './range-reader.ts';

export interface TimeWindow {
  /** Without the records before this time, in ms since the epoch. */
  fromMs?: number | undefined;
  /** Without the records from this time on, in ms since the epoch. */
  toMs?: number | undefined;
}

/**
 * The offsets that each partition of `topics` holds now, sorted by partition; what lies behind an open transaction
 * is not among them yet. Nothing sorts a topic by time: a window begins with the first record that is not too
 * early and ends before the first that is too late.
 * Throws AppError `topic_missing`, `kafka_unauthorized` or `kafka_unavailable`.
 */
export async function rangesOf(
  kafka: KafkaClient,
  topics: readonly string[],
  window: TimeWindow = {},
): Promise<OffsetRange[]> {
  const names = [...new Set(topics)];
  const missing = await missingTopics(kafka, names);
  if (missing.length > 0) {
    throw new AppError(
      'topic_missing',
      `reading ${missing.join(', ')}: there is no such topic, or it is hidden from this user; correct the names in topics`,
    );
  }
  return withAdmin(kafka, `asking for the offsets of ${names.join(', ')}`, async (admin) => {
    const ranges: OffsetRange[] = [];
    for (const topic of names) ranges.push(...(await rangesOfTopic(admin, topic, window)));
    return ranges;
  });
}

async function rangesOfTopic(
  admin: Admin,
  topic: string,
  { fromMs, toMs }: TimeWindow,
): Promise<OffsetRange[]> {
  const held = await admin.fetchTopicOffsets(topic);
  const first = await offsetsAt(admin, topic, fromMs);
  const last = await offsetsAt(admin, topic, toMs);
  return held
    .map(({ partition, low, high }) => {
      const end = Math.min(Number(high), last?.get(partition) ?? Number(high));
      const from = Math.max(Number(low), first?.get(partition) ?? Number(low));
      return { topic, partition, from: Math.min(from, end), to: end };
    })
    .sort((a, b) => a.partition - b.partition);
}

/** Of the first record that is as late, by partition; the partition's end where there is none. */
async function offsetsAt(
  admin: Admin,
  topic: string,
  timeMs: number | undefined,
): Promise<Map<number, number> | undefined> {
  if (timeMs === undefined) return undefined;
  const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, timeMs);
  return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
}

/**
 * Reads the ranges, committed records only, in order within a partition, and returns when all are read: when
 * every position has come to its range's end, since markers and aborted records take offsets too and compaction
 * leaves gaps. Needs no broker when all are empty.
 * Throws AppError `range_unreadable` when reading stands still, `aborted`, `topic_missing`, `kafka_unauthorized`
 * or `kafka_unavailable`, and whatever `onRecord` throws.
 */
export async function readRanges(options: ReadRangesOptions): Promise<void> {
  const positions = new RangePositions(options.ranges);
  if (!positions.done) await new RangeReader(positions, options).read();
}
