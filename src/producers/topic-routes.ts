import type { Outcome } from '../events/types.generated.ts';

/** Where each kind of message goes; the configuration's `topics` has this shape. */
export interface OutputTopics {
  verdicts: string;
  /** A topic for one outcome instead of `verdicts`. */
  routes: Partial<Record<Outcome, string | undefined>>;
  deadLetters: string;
  embeddings?: string | undefined;
}

/** The topic for a verdict with this outcome. */
export function verdictTopic(topics: OutputTopics, outcome: Outcome): string {
  return topics.routes[outcome] ?? topics.verdicts;
}

/** Every topic that may be written to, each once: all of them must exist before the first event. */
export function outputTopics(topics: OutputTopics): string[] {
  const { verdicts, routes, deadLetters, embeddings } = topics;
  const all = [verdicts, ...Object.values(routes), deadLetters, embeddings];
  return [...new Set(all.filter((topic) => topic !== undefined))];
}
