import type { RecordMetadata, TopicMessages } from 'kafkajs';
import type { Outgoing } from './outgoing.ts';
import type { StickyPartitioner } from './sticky-partitioner.ts';

export const ALL_IN_SYNC_REPLICAS = -1;

/** Below the broker's default limit for one partition's part of a request, 1,048,588 bytes. */
export const MAX_REQUEST_BYTES = 900_000;
export const MAX_REQUEST_MESSAGES = 1_000;

/**
 * Those of `messages` that the broker has not answered for. When a leader moves between two attempts to a broker
 * that has answered for other partitions already, kafkajs leaves its partition out and reports success. Only a
 * partition that an answer names is written.
 */
export function unacknowledgedOf(
  messages: readonly Outgoing[],
  answers: readonly RecordMetadata[],
  partitioner: StickyPartitioner,
): Outgoing[] {
  const written = new Set(answers.map(({ topicName, partition }) => `${topicName}/${partition}`));
  return messages.filter(({ topic, message }) => {
    const partition = partitioner.partitionOf(message);
    return partition === undefined || !written.has(`${topic}/${partition}`);
  });
}

/** The messages as kafkajs takes them. */
export function byTopic(messages: readonly Outgoing[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages>();
  for (const { topic, message } of messages) {
    const entry = topics.get(topic) ?? { topic, messages: [] };
    entry.messages.push(message);
    topics.set(topic, entry);
  }
  return [...topics.values()];
}

/** For error messages. */
export function describe(messages: readonly Outgoing[]): string {
  const topics = [...new Set(messages.map(({ topic }) => topic))].join(', ');
  const largest = Math.max(...messages.map(({ bytes }) => bytes));
  return `sending ${messages.length} messages of up to ${largest} bytes to ${topics}`;
}
