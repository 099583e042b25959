import type { Config } from './config-schema.ts';
import { eventBytes, roomOf, type TopicRoom } from './producers/message-bounds.ts';
import { outputTopics } from './producers/topic-routes.ts';

/** Every topic that a configuration names, once each, the input first. */
export function topicsOf({ topics }: Pick<Config, 'topics'>): string[] {
  return [...new Set([topics.input, ...outputTopics(topics)])];
}

/** The topics of `topicsOf` with the `max.message.bytes` that leaves room for every event and all that follows from it. */
export function eventTopics({ topics, images }: Pick<Config, 'topics' | 'images'>): TopicRoom[] {
  const input = { topic: topics.input, bytes: eventBytes(images.maxBytes) };
  const outputs = roomOf(topics, input.bytes);
  return [input, ...outputs.filter(({ topic }) => topic !== input.topic)];
}
