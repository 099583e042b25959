import type { Config } from './config-schema.ts';

/** Every topic that a configuration names, once each, the input first. */
export function topicsOf({ topics }: Pick<Config, 'topics'>): string[] {
  const { input, verdicts, deadLetters, embeddings, routes } = topics;
  const names = [input, verdicts, ...Object.values(routes), deadLetters, embeddings];
  return [...new Set(names.filter((name) => name !== undefined))];
}
