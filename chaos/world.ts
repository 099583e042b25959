import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Kafka } from 'kafkajs';
import { stringify } from 'yaml';
import { prepareTinyModel } from '../bench/tiny-model.ts';
import { configSchema, type Config } from '../src/config-schema.ts';
import { startLocalKafka, type LocalKafka } from '../src/demo/local-kafka.ts';
import { createKafka } from '../src/kafka/client.ts';
import { createTopics } from '../src/kafka/topics.ts';
import { noLogger } from '../src/logger.ts';
import { topicsOf } from '../src/topics.ts';
import type { ChaosOptions } from './options.ts';

export const PARTITIONS = 12;
export const BROKERS = 3;

/** What everything happens in: three brokers, the topics, and the configuration of every instance. */
export interface World {
  cluster: LocalKafka;
  kafka: Kafka;
  config: Config;
  configFile: string;
  storeFolder: string;
}

/** Starts the brokers. Throws AppError `kafka_unavailable`. */
export async function createWorld(
  folder: string,
  { delivery, session }: Pick<ChaosOptions, 'delivery' | 'session'>,
  say: (line: string) => void,
): Promise<World> {
  const storeFolder = join(folder, 'store');
  await mkdir(storeFolder);
  const cluster = await startLocalKafka({
    nodes: BROKERS,
    properties: { 'transaction.state.log.min.isr': 2 },
    onProgress: say,
  });
  const configFile = join(folder, 'moderato.yaml');
  const written = {
    kafka: {
      brokers: cluster.bootstrap,
      groupId: 'chaos',
      ...(session !== undefined && { sessionTimeoutMs: session }),
    },
    topics: { input: 'images', verdicts: 'verdicts', deadLetters: 'dead-letters' },
    delivery,
    policies: fileURLToPath(new URL('./policies.yaml', import.meta.url)),
    model: { path: await prepareTinyModel(folder), threads: 1 },
    images: { root: storeFolder, decoders: 1 },
    // The pictures repeat: each event is to go through the decoders and the encoder all the same.
    dedupe: { maxBytes: 0 },
    pipeline: { drainTimeoutMs: 5_000 },
    observability: { http: false },
  };
  await writeFile(configFile, stringify(written));
  const config = configSchema.parse(written);
  const kafka = createKafka(config.kafka, {}, noLogger);
  await createTopics(
    kafka,
    topicsOf(config).map((topic) => ({
      topic,
      partitions: PARTITIONS,
      replicationFactor: BROKERS,
    })),
  );
  return { cluster, kafka, config, configFile, storeFolder };
}
