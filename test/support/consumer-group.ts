import type { Kafka } from 'kafkajs';
import { withAdmin } from '../../src/kafka/topics.ts';

/** What the broker has committed for a group; -1 when there is nothing. */
export async function committedOffset(
  kafka: Kafka,
  groupId: string,
  topic: string,
  partition: number,
): Promise<number> {
  const offsets = await committedOffsets(kafka, groupId, topic);
  return offsets.get(partition) ?? -1;
}

export async function committedOffsets(
  kafka: Kafka,
  groupId: string,
  topic: string,
): Promise<Map<number, number>> {
  return withAdmin(kafka, 'reading committed offsets', async (admin) => {
    const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return new Map(group?.partitions.map((p) => [p.partition, Number(p.offset)]));
  });
}

/** How many members the group has, as its coordinator sees it. */
export async function memberCount(kafka: Kafka, groupId: string): Promise<number> {
  return withAdmin(kafka, 'describing the group', async (admin) => {
    const { groups } = await admin.describeGroups([groupId]);
    return groups[0]?.members.length ?? 0;
  });
}
