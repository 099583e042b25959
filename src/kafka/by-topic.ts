export interface TopicPartition {
  topic: string;
  partition: number;
}

/** `topic/partition`: a topic's name has no slash. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** The shape that kafkajs' requests take. */
export function groupByTopic<P extends TopicPartition, T>(
  partitions: readonly P[],
  map: (partition: P) => T,
): Array<{ topic: string; partitions: T[] }> {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, each]) => ({
    topic,
    partitions: each.map(map),
  }));
}
