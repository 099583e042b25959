import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Partitioners, type Kafka, type Producer } from 'kafkajs';
import sharp from 'sharp';
import { Dice } from '../fuzz/dice.ts';
import { configSchema } from '../src/config-schema.ts';
import { startLocalKafka, type LocalKafka } from '../src/demo/local-kafka.ts';
import { createKafka } from '../src/kafka/client.ts';
import { noLogger } from '../src/logger.ts';
import { packageFile } from '../src/package-files.ts';
import { startHosts, type Hosts } from './hosts.ts';

export interface Picture {
  file: string;
  bytes: Buffer;
}

/** What all loads share: a broker, pictures below `root`, and image hosts. */
export interface World extends AsyncDisposable {
  folder: string;
  cluster: LocalKafka;
  kafka: Kafka;
  producer: Producer;
  hosts: Hosts;
  /** `images.root` */
  root: string;
  /** Some 15 kB each. */
  pictures: readonly Picture[];
  /** A WebP of 24 megapixels. */
  large: string;
  dice: Dice;
}

const SAMPLES = [
  'bananas.jpg',
  'bear.jpg',
  'cat-on-sofa.webp',
  'giraffe.jpg',
  'pizza-and-wine.jpg',
];
const EDGE = 256;
const LARGE = { width: 6_000, height: 4_000 };
const BROKER_HEAP_MIB = 512;

/** Starts the broker and the hosts. Throws AppError `kafka_unavailable`. */
export async function createWorld(
  folder: string,
  seed: number,
  say: (line: string) => void,
): Promise<World> {
  await using open = new AsyncDisposableStack();
  const root = join(folder, 'root');
  await mkdir(root);
  const pictures = await Promise.all(SAMPLES.map((name) => makePicture(root, name)));
  const large = await makeLarge(root);
  const hosts = await startHosts(pictures[0]?.bytes ?? Buffer.alloc(0));
  open.defer(() => hosts.close());
  const cluster = await startLocalKafka({ heapMiB: BROKER_HEAP_MIB, onProgress: say });
  open.defer(() => cluster.stop());
  const { kafka: section } = configSchema.shape;
  const client = section.parse({ brokers: cluster.bootstrap, clientId: 'isolation' });
  const kafka = createKafka(client, {}, noLogger);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  open.defer(() => producer.disconnect());
  const parts = open.move();
  return {
    folder,
    cluster,
    kafka,
    producer,
    hosts,
    root,
    pictures,
    large,
    dice: new Dice(seed),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function makePicture(root: string, name: string): Promise<Picture> {
  const bytes = await sharp(packageFile(join('samples', name)))
    .resize(EDGE, EDGE, { fit: 'cover' })
    .jpeg({ quality: 85 })
    .toBuffer();
  const file = join(root, name.replace(/\.\w+$/, '.jpg'));
  await writeFile(file, bytes);
  return { file, bytes };
}

async function makeLarge(root: string): Promise<string> {
  const file = join(root, 'large.webp');
  await sharp(packageFile('samples/mountains-at-sunset.webp'))
    .resize({ ...LARGE, fit: 'fill' })
    .webp({ quality: 60, effort: 0 })
    .toFile(file);
  return file;
}
