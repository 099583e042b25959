import { execFile } from 'node:child_process';
import { mkdir, open, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Kafka } from 'kafkajs';
import { stringify } from 'yaml';
import { prepareTinyModel } from '../bench/tiny-model.ts';
import { buildCorpus } from '../fuzz/corpus/corpus.ts';
import { makePictures } from '../fuzz/corpus/pictures.ts';
import { configSchema, type Config } from '../src/config-schema.ts';
import { startLocalKafka, type LocalKafka } from '../src/demo/local-kafka.ts';
import { createKafka } from '../src/kafka/client.ts';
import { createTopics } from '../src/kafka/topics.ts';
import { noLogger } from '../src/logger.ts';
import { firstInput } from '../src/topics.ts';
import type { Scene } from './kind.ts';
import type { PoisonOptions } from './options.ts';
import { startServers, type Ports, type Servers } from './servers.ts';

export const PARTITIONS = 4;
/** Of the input topic: what a hostile publisher would like. */
const INPUT_BYTES = 64 * 1024 * 1024;
/** Of the output topics: Kafka's default. */
const OUTPUT_BYTES = 1_048_588;
/** A record of 25 MB is in the heap several times; the default of 256 MiB does not hold that. */
const BROKER_HEAP_MIB = 1_024;
/** Long enough that a fault which repeats is found out before, some 12 s. */
const OUTAGE_MS = 16_000;
/** In a short run, and exactly once, where a partition stands still behind a record that waits. */
const SHORT_OUTAGE_MS = 4_000;
const HTTP_MS = 1_000;

/** What everything happens in. */
export interface World {
  cluster: LocalKafka;
  kafka: Kafka;
  config: Config;
  configFile: string;
  servers: Servers;
  scene: Scene;
}

/** Starts the broker and the hostile servers. Throws AppError `kafka_unavailable`. */
export async function createWorld(
  folder: string,
  { delivery, seed }: PoisonOptions,
  isShort: boolean,
  say: (line: string) => void,
): Promise<World> {
  const pictures = await makePictures();
  const sound = Object.entries(pictures).flatMap(([name, bytes]) =>
    name.startsWith('tiff') ? [] : bytes,
  );
  const root = join(folder, 'root');
  await prepareRoot(root, pictures.png);
  const servers = await startServers(join(root, 'socket'), pictures.png);
  const cluster = await startLocalKafka({
    heapMiB: BROKER_HEAP_MIB,
    properties: { 'message.max.bytes': INPUT_BYTES, 'replica.fetch.max.bytes': INPUT_BYTES },
    onProgress: say,
  });
  const written = {
    ...configuration({ cluster, root, ports: servers.ports, isShort, delivery }),
    model: { path: await prepareTinyModel(folder), threads: 1 },
  };
  const configFile = join(folder, 'moderato.yaml');
  await writeFile(configFile, stringify(written));
  const config = configSchema.parse(written);
  const kafka = createKafka(config.kafka, {}, noLogger);
  await prepareTopics(kafka, config);
  let count = 0;
  const scene: Scene = {
    root,
    ports: servers.ports,
    pictures: sound,
    corpus: await buildCorpus(),
    seed,
    next: () => (count += 1),
  };
  return { cluster, kafka, config, configFile, servers, scene };
}

function configuration(given: {
  cluster: LocalKafka;
  root: string;
  ports: Ports;
  isShort: boolean;
  delivery: Config['delivery'];
}) {
  const { cluster, root, ports, isShort, delivery } = given;
  const { steady, odd, silent, away, closed } = ports;
  return {
    kafka: { brokers: cluster.bootstrap, groupId: 'poison', commitIntervalMs: 500, maxWaitMs: 100 },
    topics: {
      input: 'images',
      verdicts: 'verdicts',
      deadLetters: 'dead-letters',
      embeddings: 'embeddings',
    },
    delivery,
    registry: { url: `http://127.0.0.1:${ports.registry}` },
    policies: fileURLToPath(new URL('../chaos/policies.yaml', import.meta.url)),
    images: {
      root,
      decoders: 1,
      data: true,
      decodeTimeoutMs: 2_000,
      http: {
        allowHosts: ['127.0.0.1'],
        allowPorts: [steady, odd, silent, away, closed],
        allowAddresses: ['127.0.0.0/8'],
        connectTimeoutMs: HTTP_MS,
        headersTimeoutMs: HTTP_MS,
        bodyTimeoutMs: HTTP_MS,
        totalTimeoutMs: 2 * HTTP_MS,
      },
    },
    pipeline: {
      outageTimeoutMs: isShort || delivery === 'exactly-once' ? SHORT_OUTAGE_MS : OUTAGE_MS,
    },
    observability: { http: { host: '127.0.0.1', port: 0 } },
  };
}

/** What lies below `images.root`; the socket is bound by the servers. */
async function prepareRoot(root: string, picture: Buffer): Promise<void> {
  const at = (name: string): string => join(root, name);
  await mkdir(at('folder'), { recursive: true });
  await writeFile(at('good.png'), picture);
  await writeFile(at('empty'), '');
  await writeFile(at('text'), 'not an image');
  await symlink('/etc/passwd', at('link-out'));
  await symlink('/etc', at('link-folder'));
  await symlink('link-loop', at('link-loop'));
  await promisify(execFile)('mkfifo', [at('fifo')]);
  const large = await open(at('large'), 'w');
  await large.truncate(2 ** 31);
  await large.close();
}

async function prepareTopics(kafka: Kafka, { topics }: Config): Promise<void> {
  const outputs = [topics.verdicts, topics.deadLetters, topics.embeddings ?? ''];
  await createTopics(kafka, [
    {
      topic: firstInput(topics),
      partitions: PARTITIONS,
      config: {
        'max.message.bytes': `${INPUT_BYTES}`,
        // Records say that they are older than Kafka, and from a future without end: all stay.
        'retention.ms': '-1',
        'message.timestamp.before.max.ms': `${2n ** 63n - 1n}`,
        'message.timestamp.after.max.ms': `${2n ** 63n - 1n}`,
      },
    },
    ...outputs.map((topic) => ({
      topic,
      partitions: PARTITIONS,
      config: { 'max.message.bytes': `${OUTPUT_BYTES}` },
    })),
  ]);
}
