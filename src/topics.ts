import type { Config } from './config-schema.ts';
import { outputTopics } from './producers/topic-routes.ts';

/** Every topic that a configuration names, once each, the input first. */
export function topicsOf({ topics }: Pick<Config, 'topics'>): string[] {
  return [...new Set([topics.input, ...outputTopics(topics)])];
}
