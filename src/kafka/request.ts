import type { RecordMetadata, TopicMessages } from 'kafkajs';
import { recordBytes, type OutgoingMessage } from './outgoing-message.ts';
import { sentMessage, type StickyPartitioner } from './sticky-partitioner.ts';

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
  messages: readonly OutgoingMessage[],
  answers: readonly RecordMetadata[],
  partitioner: StickyPartitioner,
): OutgoingMessage[] {
  const written = new Set(answers.map(({ topicName, partition }) => `${topicName}/${partition}`));
  return messages.filter((message) => {
    const partition = partitioner.partitionOf(message);
    return partition === undefined || !written.has(`${message.topic}/${partition}`);
  });
}

/** The messages as kafkajs takes them. */
export function byTopic(messages: readonly OutgoingMessage[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages>();
  for (const message of messages) {
    const entry = topics.get(message.topic) ?? { topic: message.topic, messages: [] };
    entry.messages.push(sentMessage(message));
    topics.set(message.topic, entry);
  }
  return [...topics.values()];
}

/** For error messages. */
export function describe(messages: readonly OutgoingMessage[]): string {
  const topics = [...new Set(messages.map(({ topic }) => topic))].join(', ');
  const sizes = messages.map(({ key, value, headers }) => recordBytes(key, value, headers));
  return `sending ${messages.length} messages of up to ${Math.max(...sizes)} bytes to ${topics}`;
}
