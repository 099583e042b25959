import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kafka } from 'kafkajs';
import { stringify } from 'yaml';
import { findBroker } from '../src/demo/find-broker.ts';
import { createKafka } from '../src/kafka/client.ts';
import { createTopics } from '../src/kafka/topics.ts';
import { configSchema } from '../src/config-schema.ts';
import { createLogger } from '../src/logger.ts';
import { packageFile } from '../src/package-files.ts';
import type { Photos } from './photos.ts';
import { childrenOf } from './process-watch.ts';

/** Events before those that are counted: the code is compiled and every process has worked by then. */
export const WARM_UP = 64;

/** What the trials share: a broker, its topics, the photos, a folder for what they write. */
export interface Stage extends AsyncDisposable {
  readonly brokers: readonly string[];
  readonly kafka: Kafka;
  /** Of the broker; none when it was given or runs in a container. */
  readonly brokerPids: readonly number[];
  readonly photos: Photos;
  readonly folder: string;
}

/** Image events that wait in a topic. */
export interface Backlog {
  topic: string;
  partitions: number;
  events: number;
}

export interface TopicShape {
  partitions: number;
  config: Record<string, string>;
}

export const PARTITIONS = 6;

/** Throws AppError `kafka_unavailable`. */
export async function openStage(
  photos: Photos,
  folder: string,
  say: (line: string) => void,
): Promise<Stage> {
  const broker = await findBroker({ onProgress: say });
  const logger = createLogger({ level: 'error', to: 'stderr' });
  const { kafka: settings } = configSchema.shape;
  const kafka = createKafka(settings.parse({ brokers: broker.bootstrap }), {}, logger);
  const children = await childrenOf(process.pid);
  return {
    brokers: broker.bootstrap,
    kafka,
    brokerPids: children.filter(({ role }) => role === 'java').map(({ pid }) => pid),
    photos,
    folder,
    [Symbol.asyncDispose]: () => broker.stop(),
  };
}

/** A new topic, whose records are stamped by the broker when it has appended them. */
export async function newTopic(
  { kafka }: Pick<Stage, 'kafka'>,
  purpose: string,
  { partitions = PARTITIONS, config = {} }: Partial<TopicShape> = {},
): Promise<string> {
  const topic = `moderato-bench-${randomUUID().slice(0, 8)}.${purpose}`;
  const stamped = { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': `${8 << 20}` };
  await createTopics(kafka, [{ topic, partitions, config: { ...stamped, ...config } }]);
  return topic;
}

/** What a trial sets beside what must be there. */
export interface Settings {
  groupId?: string;
  delivery?: 'at-least-once' | 'exactly-once';
  model?: { path: string };
  dedupe?: { maxBytes?: number };
  pipeline?: { maxInFlight: number };
  output?: { format: 'json' | 'avro' };
}

export interface Topics {
  input: string;
  verdicts: string;
  deadLetters: string;
  routes?: { not_inspected: string };
}

/** A configuration as a user would write it: nothing but what must be there. */
export async function writeConfig(
  { brokers, folder }: Pick<Stage, 'brokers' | 'folder'>,
  topics: Topics,
  { groupId = `moderato-bench-${randomUUID()}`, ...settings }: Settings = {},
): Promise<string> {
  const file = join(folder, `${randomUUID()}.yaml`);
  const config = {
    kafka: { brokers, groupId },
    topics,
    policies: packageFile('policies/demo.yaml'),
    // The photos take turns: each is to cost what a new one costs.
    dedupe: { maxBytes: 0 },
    // One look at each photo, as the peers take.
    images: { views: 'single' },
    observability: { http: { host: '127.0.0.1', port: 0 }, logLevel: 'warn' },
    ...settings,
  };
  await writeFile(file, stringify(config));
  return file;
}
