import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin as KafkaJsAdmin } from 'kafkajs';
import type { KafkaClient } from './client.ts';
import { causes, kafkaError } from './errors.ts';

/** A coordinator that has just begun to lead a group asks for patience; kafkajs does not have it. */
const GROUP_IN_MOTION = new Set<unknown>([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);
const GROUP_ATTEMPTS = 50;
const GROUP_RETRY_MS = 200;

/** Questions to a cluster. Offsets and partitions are numbers. */
export interface Admin {
  /** Every topic that this user sees. */
  topicNames(): Promise<string[]>;
  /** The numbers of a topic's partitions, ascending. */
  partitions(topic: string): Promise<number[]>;
  /** What each partition holds, by ascending partition. */
  offsets(topic: string): Promise<PartitionOffsets[]>;
  /**
   * By partition, the offset of the first record that is not earlier than a time in ms since the epoch; the end of
   * the partition when there is none.
   */
  offsetsAt(topic: string, timeMs: number): Promise<Map<number, number>>;
  /** By partition, the next offset that a group reads; without the partitions it has committed nothing for. */
  committed(groupId: string, topic: string): Promise<Map<number, number>>;
  /** How many members a group has now; 0 for a group that does not exist. */
  memberCount(groupId: string): Promise<number>;
}

export interface PartitionOffsets {
  partition: number;
  /** The first offset. */
  start: number;
  /** The offset after the last, as `read_committed` sees it: nothing behind an open transaction. */
  end: number;
}

/**
 * Runs `work` with a connection of its own. Throws AppError `topic_missing`, `kafka_unauthorized` or
 * `kafka_unavailable`, and what `work` throws.
 */
export async function useAdmin<T>(
  kafka: KafkaClient,
  doing: string,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  return await withAdmin(kafka, doing, (admin) => work(adminOf(admin)));
}

/** The same with kafkajs' own admin client, for this room. */
export async function withAdmin<T>(
  kafka: KafkaClient,
  doing: string,
  work: (admin: KafkaJsAdmin) => Promise<T>,
): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    throw kafkaError(error, doing);
  } finally {
    await admin.disconnect().catch(() => undefined); // it was never connected, or is gone already
  }
}

function adminOf(admin: KafkaJsAdmin): Admin {
  return {
    topicNames: () => admin.listTopics(),
    partitions: async (topic) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics[0]?.partitions ?? [];
      return partitions.map(({ partitionId }) => partitionId).sort((a, b) => a - b);
    },
    offsets: async (topic) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets
        .map(({ partition, low, high }) => ({ partition, start: Number(low), end: Number(high) }))
        .sort((a, b) => a.partition - b.partition);
    },
    offsetsAt: async (topic, timeMs) => {
      const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, timeMs);
      return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
    },
    committed: async (groupId, topic) => {
      const [offsets] = await patiently(() => admin.fetchOffsets({ groupId, topics: [topic] }));
      const known = (offsets?.partitions ?? []).map(
        ({ partition, offset }) => [partition, Number(offset)] as const,
      );
      return new Map(known.filter(([, offset]) => offset >= 0));
    },
    memberCount: async (groupId) => {
      const { groups } = await patiently(() => admin.describeGroups([groupId]));
      return groups[0]?.members.length ?? 0;
    },
  };
}

/** Repeats a question about a group for up to 10 s while its coordinator moves or loads. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const isInMotion = [...causes(error)].some(({ type }) => GROUP_IN_MOTION.has(type));
      if (!isInMotion || attempt === GROUP_ATTEMPTS) throw error;
      await sleep(GROUP_RETRY_MS);
    }
  }
}
