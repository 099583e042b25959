import type { Config } from './config-schema.ts';
import { eventBytes, roomOf, type TopicRoom } from './producers/message-bounds.ts';
import { outputTopics } from './producers/topic-routes.ts';

/** The input topics, in the order in which the configuration lists the lanes. */
export function inputTopics({ input }: Pick<Config['topics'], 'input'>): string[] {
  return input.map(({ topic }) => topic);
}

/** The topic of the first lane, where commands that need one input topic turn unless they are told another. */
export function firstInput({ input }: Pick<Config['topics'], 'input'>): string {
  const [first] = input;
  if (!first) throw new Error('the configuration has no lane');
  return first.topic;
}

/** Every topic that a configuration names, once each, the inputs first. */
export function topicsOf({ topics }: Pick<Config, 'topics'>): string[] {
  return [...new Set([...inputTopics(topics), ...outputTopics(topics)])];
}

/** The topics of `topicsOf` with the `max.message.bytes` that leaves room for every event and all that follows from it. */
export function eventTopics({ topics, images }: Pick<Config, 'topics' | 'images'>): TopicRoom[] {
  const bytes = eventBytes(images.maxBytes);
  const inputs = inputTopics(topics).map((topic) => ({ topic, bytes }));
  return [...inputs, ...roomOf(topics, bytes)];
}
