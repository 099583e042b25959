/** Reading topics outside of any consumer group: a stretch of them once, or all that is written from now on. */
import { AppError } from '../errors.ts';
import { useAdmin, type Admin } from './admin.ts';
import type { KafkaClient } from './client.ts';
import { RangePositions, type OffsetRange } from './range-positions.ts';
import { TopicReader, type TopicReaderOptions } from './topic-reader.ts';

export type { OffsetRange } from './range-positions.ts';
export type { TopicReaderOptions } from './topic-reader.ts';

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
  return useAdmin(kafka, `asking for the offsets of ${names.join(', ')}`, async (admin) => {
    const present = new Set(await admin.topicNames());
    const missing = names.filter((name) => !present.has(name));
    if (missing.length > 0) {
      throw new AppError(
        'topic_missing',
        `reading ${missing.join(', ')}: there is no such topic, or it is hidden from this user; correct the names in topics`,
      );
    }
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
  const held = await admin.offsets(topic);
  const first = fromMs === undefined ? undefined : await admin.offsetsAt(topic, fromMs);
  const last = toMs === undefined ? undefined : await admin.offsetsAt(topic, toMs);
  return held.map(({ partition, start, end }) => {
    const to = Math.min(end, last?.get(partition) ?? end);
    const from = Math.max(start, first?.get(partition) ?? start);
    return { topic, partition, from: Math.min(from, to), to };
  });
}

/**
 * Reads the ranges, committed records only, in order within a partition, and returns when all are read: when
 * every position has come to its range's end, since markers and aborted records take offsets too and compaction
 * leaves gaps. Needs no broker when all are empty. Throws what `TopicReader.read` does.
 */
export async function readRanges(options: TopicReaderOptions): Promise<void> {
  const positions = new RangePositions(options.ranges);
  if (!positions.done) await new TopicReader(positions, options).read();
}

/**
 * Reads from where each of `positions` begins until the signal aborts; partitions that are added to the topics meanwhile
 * are read from their beginnings. Throws what `TopicReader.read` does, except `aborted`.
 */
export async function followTopics({
  positions,
  ...options
}: Omit<TopicReaderOptions, 'ranges' | 'signal'> & {
  positions: ReadonlyArray<Omit<OffsetRange, 'to'>>;
  signal: AbortSignal;
}): Promise<void> {
  try {
    await readRanges({
      ...options,
      ranges: positions.map((position) => ({ ...position, to: Infinity })),
    });
  } catch (error) {
    if (!options.signal.aborted || !(error instanceof AppError) || error.code !== 'aborted') {
      throw error;
    }
  }
}
