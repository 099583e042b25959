import type { Admin, Kafka } from 'kafkajs';
import { kafkaError } from './errors.ts';

export interface TopicSpec {
  topic: string;
  /** @default -1, the broker's own default */
  partitions?: number;
  /** @default -1, the broker's own default */
  replicationFactor?: number;
  /** For example `{ 'max.message.bytes': '8388608' }`. */
  config?: Record<string, string>;
}

/** Runs `work` with an admin client of its own, and maps its errors. */
export async function withAdmin<T>(
  kafka: Kafka,
  doing: string,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    throw kafkaError(error, doing);
  } finally {
    await admin.disconnect().catch(() => undefined); // it was never connected, or is gone already
  }
}

/**
 * Those of `names` that the broker does not have, or does not show to this user.
 * Throws AppError `kafka_unavailable` or `kafka_unauthorized`.
 */
export async function missingTopics(kafka: Kafka, names: readonly string[]): Promise<string[]> {
  // Listing, not asking for them by name: kafkajs would take a missing one for a passing trouble and retry.
  const present = await withAdmin(kafka, 'listing topics', (admin) => admin.listTopics());
  return [...new Set(names)].filter((name) => !present.includes(name));
}

/**
 * Creates the topics that are not there and waits until each partition has a leader. A topic that exists is
 * left as it is, whatever its settings.
 * Throws AppError `kafka_unavailable` or `kafka_unauthorized`.
 */
export async function createTopics(
  kafka: Kafka,
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
          waitForLeaders: true,
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
    },
  );
  return { created, existed };
}
