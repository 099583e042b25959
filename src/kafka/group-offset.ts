import type { KafkaClient } from './client.ts';
import { ask, closeCluster, openCluster, type Broker, type Cluster } from './cluster.ts';
import { kafkaError } from './errors.ts';

const METADATA_MAX_AGE_MS = 300_000;

/** What kafkajs' cluster knows beside what `Cluster` says. */
interface GroupCluster extends Cluster {
  findGroupCoordinator(group: { groupId: string }): Promise<Broker>;
}

export interface GroupOffset {
  groupId: string;
  topic: string;
  partition: number;
  /** The next offset to be read. */
  offset: number;
}

/**
 * Commits an offset for a group without members. The coordinator refuses it for a group that has any
 * (UNKNOWN_MEMBER_ID), so no member is overruled. Unlike kafkajs' `setOffsets` it does not join the group.
 * Throws AppError `kafka_unauthorized` or `kafka_unavailable`.
 */
export async function commitGroupOffset(
  kafka: KafkaClient,
  { groupId, topic, partition, offset }: GroupOffset,
): Promise<void> {
  const cluster = openCluster(kafka, METADATA_MAX_AGE_MS) as GroupCluster;
  try {
    await cluster.connect();
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    await ask(coordinator, 'OffsetCommit', {
      groupId,
      groupGenerationId: -1, // of no member
      memberId: '',
      topics: [{ topic, partitions: [{ partition, offset: String(offset), metadata: '' }] }],
    });
  } catch (error) {
    throw kafkaError(error, `committing ${topic}/${partition} for group ${groupId}`);
  } finally {
    await closeCluster(cluster);
  }
}
