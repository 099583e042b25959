/**
 * A real Apache Kafka (KRaft) on 127.0.0.1, for the demo and for tests: no container, only Java and the jars
 * that Maven fetches once. It keeps nothing: each cluster has a folder of its own, removed at its end.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import { Broker, JVM_FLAGS } from './kafka/broker.ts';
import { ensureJars, kafkaCache } from './kafka/jars.ts';
import { findJava, type Java } from './kafka/java.ts';
import { startReaper, type Reaper } from './kafka/reaper.ts';
import {
  LOG4J_CONFIGURATION,
  serverProperties,
  type ListenerName,
  type NodeAddress,
  type Properties,
} from './kafka/server-properties.ts';
import { formatStorage } from './kafka/storage.ts';
import { freePorts } from './kafka/wire.ts';

export interface LocalKafkaOptions {
  /** Combined brokers and controllers. @default 1 */
  nodes?: number;
  /** Listeners beside the plain one; their keys and JAAS entries go into `properties`. @default [] */
  listeners?: readonly ListenerName[];
  /** User to password, for SCRAM-SHA-256 and SCRAM-SHA-512. @default {} */
  scramUsers?: Record<string, string>;
  /** Of each broker's Java heap, at most. @default 256 */
  heapMiB?: number;
  /** Added to, or in place of, those of server.properties. @default {} */
  properties?: Properties;
  /** Where Java, Maven and the cache folder are looked for. @default process.env */
  env?: NodeJS.ProcessEnv;
  /** Lines for a human, such as that the jars are being fetched. */
  onProgress?: (line: string) => void;
}

export interface LocalKafka {
  /** host:port of each broker's plain listener. */
  readonly bootstrap: string[];
  /** host:port of each broker's listener of that name. */
  listener(name: ListenerName): string[];
  /** Ends every broker and removes the data. Idempotent. */
  stop(): Promise<void>;
  /** Ends one broker (ids count from 1) in good order, keeping its data. */
  stopNode(id: number): Promise<void>;
  /** SIGKILLs one broker, keeping its data. */
  killNode(id: number): Promise<void>;
  /** Stops a broker with SIGSTOP: its connections stay open, and nothing is answered. */
  freezeNode(id: number): void;
  /** Lets a frozen broker go on. */
  thawNode(id: number): void;
  /** Starts a broker again on its data and waits until it answers. */
  startNode(id: number): Promise<void>;
  /** Of the brokers that run. */
  pids(): number[];
}

/**
 * Starts a cluster and waits until every broker knows all of them. About 1 s when the jars are cached.
 * Should this process die without calling `stop`, a watcher kills the brokers (see kafka/reaper.ts).
 * Throws AppError `kafka_unavailable`.
 */
export async function startLocalKafka(options: LocalKafkaOptions = {}): Promise<LocalKafka> {
  const { env = process.env, onProgress = () => undefined } = options;
  const java = await findJava(env);
  if (typeof java === 'string') {
    throw new AppError(
      'kafka_unavailable',
      `starting Apache Kafka: ${java}; install Java 17 or newer`,
    );
  }
  const cache = kafkaCache(env);
  const classPath = await ensureJars({ cache, env, onProgress });
  const folder = await mkdtemp(join(tmpdir(), 'moderato-kafka-'));
  const addresses = await assignPorts(options.nodes ?? 1, options.listeners ?? []);
  const reaper = startReaper('kill -9 $last; sleep 1; rm -rf "$1"', [folder]);
  let cluster: LocalKafka | undefined;
  try {
    const brokers = await prepare({ options, java, cache, classPath, folder, addresses });
    const started = createCluster({ folder, addresses, brokers, reaper });
    cluster = started;
    await Promise.all(addresses.map(({ id }) => started.startNode(id)));
    // Each answers by now; what is left is that they have heard of each other.
    const all = addresses.map(({ id }) => id);
    await Promise.all(brokers.map((broker) => broker.waitUntilReady(all)));
    return started;
  } catch (error) {
    await cluster?.stop();
    reaper.release();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Writes every broker's configuration and formats its storage. */
async function prepare(given: {
  options: LocalKafkaOptions;
  java: Java;
  cache: string;
  classPath: string;
  folder: string;
  addresses: readonly NodeAddress[];
}): Promise<Broker[]> {
  const { options, java, cache, folder, addresses } = given;
  const log4j = join(folder, 'log4j2.yaml');
  await writeFile(log4j, LOG4J_CONFIGURATION);
  const javaArgs = [...JVM_FLAGS, `-Dlog4j2.configurationFile=${log4j}`, '-cp', given.classPath];
  const javaKey = createHash('sha256').update(java.version).digest('hex').slice(0, 12);
  return Promise.all(
    addresses.map(async (self) => {
      const nodeFolder = join(folder, `node${self.id}`);
      const dataFolder = join(nodeFolder, 'data');
      const propertiesFile = join(nodeFolder, 'server.properties');
      await mkdir(nodeFolder);
      await writeFile(
        propertiesFile,
        serverProperties({ self, nodes: addresses, dataFolder, extra: options.properties ?? {} }),
      );
      await formatStorage({
        nodeId: self.id,
        dataFolder,
        propertiesFile,
        scramUsers: options.scramUsers ?? {},
        cache,
        java: java.command,
        javaArgs,
      });
      return new Broker({
        id: self.id,
        port: self.port,
        folder: nodeFolder,
        java: java.command,
        javaArgs,
        heapMiB: options.heapMiB ?? 256,
        archive: join(cache, `classes-${javaKey}.jsa`),
        writesArchive: self.id === 1,
      });
    }),
  );
}

async function assignPorts(
  count: number,
  listeners: readonly ListenerName[],
): Promise<NodeAddress[]> {
  const ports = await freePorts(count * (2 + listeners.length));
  const take = (): number => {
    const port = ports.pop();
    if (port === undefined) throw new Error('ran out of ports');
    return port;
  };
  return Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    port: take(),
    controllerPort: take(),
    listeners: Object.fromEntries(listeners.map((name) => [name, take()])),
  }));
}

function createCluster(given: {
  folder: string;
  addresses: readonly NodeAddress[];
  brokers: readonly Broker[];
  reaper: Reaper;
}): LocalKafka {
  const { folder, addresses, brokers, reaper } = given;
  const pids = (): number[] => brokers.flatMap(({ pid }) => pid ?? []);
  const watch = (): void => {
    if (pids().length > 0) reaper.watch(pids().join(' '));
  };
  const broker = (id: number): Broker => {
    const found = brokers[id - 1];
    if (found === undefined) throw new RangeError(`no broker ${id}: there are ${brokers.length}`);
    return found;
  };
  const end = async (id: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    await broker(id).stop(signal);
    watch();
  };
  return {
    bootstrap: addresses.map(({ port }) => `127.0.0.1:${port}`),
    listener: (name) =>
      addresses.map(({ listeners }) => {
        const port = listeners[name];
        if (port === undefined) throw new RangeError(`no listener ${name} was asked for`);
        return `127.0.0.1:${port}`;
      }),
    stop: async () => {
      // Data that is thrown away needs no clean exit, but for the broker that has the archive to write.
      await Promise.all(brokers.map((each) => each.stop(each.owesArchive ? 'SIGTERM' : 'SIGKILL')));
      reaper.release();
      await rm(folder, { recursive: true, force: true });
    },
    stopNode: (id) => end(id, 'SIGTERM'),
    killNode: (id) => end(id, 'SIGKILL'),
    freezeNode: (id) => broker(id).signal('SIGSTOP'),
    thawNode: (id) => broker(id).signal('SIGCONT'),
    startNode: async (id) => {
      await broker(id).launch();
      watch();
      await broker(id).waitUntilReady([id]);
    },
    pids,
  };
}
