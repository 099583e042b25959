import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { AppError } from '../errors.ts';
import { withAdmin } from './admin.ts';
import type { KafkaClient } from './client.ts';
import { causes } from './errors.ts';
import { hiddenTopics } from './rights.ts';

export { withAdmin } from './admin.ts';

// Node does not find this export of kafkajs by name.
const { TOPIC } = kafkajs.ConfigResourceTypes;

const LEADERS_TIMEOUT_MS = 30_000;

/** What a broker says of a topic that it has not heard of yet, or that has no leader yet. */
const TOO_NEW = new Set<unknown>(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

export interface TopicSpec {
  topic: string;
  /** @default -1, the broker's own default */
  partitions?: number;
  /** @default -1, the broker's own default */
  replicationFactor?: number;
  /** For example `{ 'max.message.bytes': '8388608' }`. */
  config?: Record<string, string>;
}

/**
 * Those of `names` that the broker does not have, and those that it hides from this user.
 * Throws AppError `kafka_unavailable` or `kafka_unauthorized`.
 */
export async function findTopics(
  kafka: KafkaClient,
  names: readonly string[],
): Promise<{ missing: string[]; hidden: string[] }> {
  // Listing, not asking for them by name: kafkajs would take a missing one for a passing trouble and retry.
  const present = await withAdmin(kafka, 'listing topics', (admin) => admin.listTopics());
  const unseen = [...new Set(names)].filter((name) => !present.includes(name));
  const hidden = await hiddenTopics(kafka, unseen);
  return { missing: unseen.filter((name) => !hidden.includes(name)), hidden };
}

/**
 * Those of `names` that the broker does not have.
 * Throws AppError `kafka_unavailable`, or `kafka_unauthorized` when it hides any of them from this user.
 */
export async function missingTopics(
  kafka: KafkaClient,
  names: readonly string[],
): Promise<string[]> {
  const { missing, hidden } = await findTopics(kafka, names);
  if (hidden.length > 0) {
    throw new AppError(
      'kafka_unauthorized',
      `looking for topics: this user may not see ${hidden.join(', ')}; moderato check names each missing right and the command that grants it`,
    );
  }
  return missing;
}

/** The `max.message.bytes` of each topic. Throws AppError `kafka_unavailable` or `kafka_unauthorized`. */
export async function messageLimits(
  kafka: KafkaClient,
  topics: readonly string[],
): Promise<Map<string, number>> {
  const configNames = ['max.message.bytes'];
  const { resources } = await withAdmin(kafka, 'reading the settings of topics', (admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({ type: TOPIC, name, configNames })),
    }),
  );
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Number(configEntries[0]?.configValue),
    ]),
  );
}

/**
 * Creates the topics that are not there and waits until each partition has a leader. A topic that exists is
 * left as it is, whatever its settings.
 * Throws AppError `kafka_unavailable` or `kafka_unauthorized`.
 */
export async function createTopics(
  kafka: KafkaClient,
  specs: readonly TopicSpec[],
): Promise<{ created: string[]; existed: string[] }> {
  const created: string[] = [];
  const existed: string[] = [];
  await withAdmin(
    kafka,
    `creating topics ${specs.map((s) => s.topic).join(', ')}`,
    async (admin) => {
      // One a request: kafkajs answers for a whole request with one boolean.
      for (const spec of specs) {
        const isNew = await admin.createTopics({
          waitForLeaders: false, // ours is below
          topics: [
            {
              topic: spec.topic,
              numPartitions: spec.partitions ?? -1,
              replicationFactor: spec.replicationFactor ?? -1,
              configEntries: Object.entries(spec.config ?? {}).map(([name, value]) => ({
                name,
                value,
              })),
            },
          ],
        });
        (isNew ? created : existed).push(spec.topic);
      }
      await waitForLeaders(admin, [...created, ...existed]);
    },
  );
  return { created, existed };
}

/** kafkajs' own `waitForLeaders` fails when a busy broker does not know the topic at once. */
async function waitForLeaders(admin: Admin, topics: string[]): Promise<void> {
  const deadline = performance.now() + LEADERS_TIMEOUT_MS;
  while (performance.now() < deadline) {
    try {
      const metadata = await admin.fetchTopicMetadata({ topics });
      const led = metadata.topics.every(
        ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
      );
      if (led) return;
    } catch (error) {
      if (![...causes(error)].some(({ type }) => TOO_NEW.has(type))) throw error;
    }
    await sleep(50);
  }
  throw new AppError(
    'kafka_unavailable',
    `waiting for leaders of ${topics.join(', ')}: none after ${LEADERS_TIMEOUT_MS / 1000} s; check that enough brokers are up`,
  );
}
