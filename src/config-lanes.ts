/** The `topics` section of the configuration: the lanes that are read and the topics that are written. */
import { z } from 'zod';
import { lanesOf } from './lane.ts';

export const topicName = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'not a Kafka topic name: 1 to 249 of a-z A-Z 0-9 . _ -');

const lane = z.strictObject({
  topic: topicName,
  /** Its share of the machine against that of the other lanes; 1 where it is not given. */
  weight: z.number().min(0.001).max(1_000_000).optional(),
  /** Comes before every lane without priority. */
  priority: z.boolean().optional(),
});

export const topicsSection = z
  .strictObject({
    /** One topic, or a list of lanes. */
    input: z.union([topicName, z.array(lane).min(1)]),
    verdicts: topicName,
    /** A topic for one outcome instead of `verdicts`. */
    routes: z
      .partialRecord(z.enum(['allow', 'review', 'block', 'not_inspected']), topicName)
      .default({}),
    deadLetters: topicName,
    /** Embeddings are emitted only where this is given. */
    embeddings: topicName.optional(),
  })
  // Also where another check has failed, so that every fault is reported at once.
  .superRefine(checkLanes, { when: () => true })
  .transform((topics) => ({ ...topics, input: lanesOf(topics.input) }));

interface NamedLane {
  topic: string;
  /** Where the topic is named, below `topics`. */
  path: Array<string | number>;
  settings: Record<string, unknown>;
}

/** What a lane on its own does not show. `topics` may be anything: other checks may have failed. */
function checkLanes(topics: unknown, context: z.core.$RefinementCtx): void {
  const section = mappingOf(topics);
  const fault = (path: Array<string | number>, message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  const outputs = new Map(outputsOf(section));
  const seen = new Set<string>();
  for (const { topic, path, settings } of namedLanes(section['input'])) {
    if (seen.has(topic)) fault(path, `the lane ${topic} is listed twice`);
    seen.add(topic);
    const output = outputs.get(topic);
    if (output !== undefined) {
      fault(
        path,
        `${topic} is topics.${output} too: what is emitted there would be read as events`,
      );
    }
    if (settings['priority'] === true && settings['weight'] !== undefined) {
      fault(
        [...path.slice(0, -1), 'weight'],
        'a lane with priority: true has no weight: it comes before every lane without priority',
      );
    }
  }
}

function namedLanes(input: unknown): NamedLane[] {
  if (typeof input === 'string') return [{ topic: input, path: ['input'], settings: {} }];
  if (!Array.isArray(input)) return [];
  return input.flatMap((entry: unknown, index) => {
    const settings = mappingOf(entry);
    const { topic } = settings;
    return typeof topic === 'string' ? [{ topic, path: ['input', index, 'topic'], settings }] : [];
  });
}

/** Each topic that is written, with the key that names it. */
function outputsOf(section: Record<string, unknown>): Array<[topic: unknown, key: string]> {
  const routes = Object.entries(mappingOf(section['routes']));
  return [
    ...routes.map(([outcome, topic]): [unknown, string] => [topic, `routes.${outcome}`]),
    ...['embeddings', 'deadLetters', 'verdicts'].map((key): [unknown, string] => [
      section[key],
      key,
    ]),
  ];
}

function mappingOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
