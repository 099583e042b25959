/**
 * A Kafka for the demo, by whichever way this machine has: one that is given, one from Maven's jars, or one
 * in a container.
 */
import { AppError, messageOf } from '../errors.ts';
import { commandFault, runCommand } from './kafka/command.ts';
import { KAFKA_IMAGE, startDockerKafka } from './kafka/docker.ts';
import { KAFKA_VERSION, jarsIn, kafkaCache } from './kafka/jars.ts';
import { findJava } from './kafka/java.ts';
import { startLocalKafka } from './local-kafka.ts';

export interface Broker {
  /** host:port of each broker. */
  bootstrap: string[];
  /** given: by KAFKA_BROKERS; local: a process of ours; docker: a container of ours. */
  kind: 'given' | 'local' | 'docker';
  /** Ends what was started for us. Idempotent; leaves a given broker alone. */
  stop(): Promise<void>;
}

export interface FindBrokerOptions {
  /** @default process.env */
  env?: NodeJS.ProcessEnv;
  /** Lines for a human who waits. */
  onProgress?: (line: string) => void;
}

/** One way to a broker: whether this machine has it, and what was found or is missing. */
export interface Requirement {
  available: boolean;
  detail: string;
}

export interface KafkaRequirements {
  /** Of KAFKA_BROKERS; empty when it is not set. */
  given: string[];
  local: Requirement;
  docker: Requirement;
}

/** What this machine has for a broker; starts and fetches nothing. */
export async function kafkaRequirements(
  env: NodeJS.ProcessEnv = process.env,
): Promise<KafkaRequirements> {
  const given = (env['KAFKA_BROKERS'] ?? '').split(',').map((broker) => broker.trim());
  const [local, docker] = await Promise.all([localRequirement(env), dockerRequirement(env)]);
  return { given: given.filter((broker) => broker !== ''), local, docker };
}

async function localRequirement(env: NodeJS.ProcessEnv): Promise<Requirement> {
  const java = await findJava(env);
  if (typeof java === 'string') return { available: false, detail: java };
  const cache = kafkaCache(env);
  if ((await jarsIn(cache)).length > 0) {
    return { available: true, detail: `Java, and Apache Kafka ${KAFKA_VERSION} in ${cache}` };
  }
  try {
    await runCommand('mvn', ['-v'], { env, timeoutMs: 30_000 });
    return { available: true, detail: `Java, and Maven to fetch Apache Kafka ${KAFKA_VERSION}` };
  } catch (error) {
    return { available: false, detail: `Maven: ${commandFault(error)}` };
  }
}

async function dockerRequirement(env: NodeJS.ProcessEnv): Promise<Requirement> {
  try {
    await runCommand('docker', ['info'], { env, timeoutMs: 10_000 });
    return { available: true, detail: `Docker, for ${KAFKA_IMAGE}` };
  } catch (error) {
    const fault = commandFault(error).split('\n').at(-1) ?? '';
    return { available: false, detail: `Docker: ${fault}` };
  }
}

/**
 * KAFKA_BROKERS when it is set, else a local broker, else one with Docker.
 * Throws AppError `kafka_unavailable`, which says what was tried and what would help.
 */
export async function findBroker(options: FindBrokerOptions = {}): Promise<Broker> {
  const { env = process.env, onProgress = () => undefined } = options;
  const { given, local, docker } = await kafkaRequirements(env);
  if (given.length > 0) {
    return { bootstrap: given, kind: 'given', stop: () => Promise.resolve() };
  }

  const ways = [
    { kind: 'local', requirement: local, start: () => startLocalKafka({ env, onProgress }) },
    { kind: 'docker', requirement: docker, start: () => startDockerKafka({ env, onProgress }) },
  ] as const;
  const tried: string[] = [];
  for (const { kind, requirement, start } of ways) {
    if (!requirement.available) {
      tried.push(requirement.detail);
      continue;
    }
    try {
      const broker = await start();
      return { bootstrap: broker.bootstrap, kind, stop: () => broker.stop() };
    } catch (error) {
      tried.push(messageOf(error));
      onProgress(messageOf(error));
    }
  }
  throw new AppError(
    'kafka_unavailable',
    [
      'looking for a Kafka broker: none could be had',
      'KAFKA_BROKERS: not set',
      ...tried,
      'set KAFKA_BROKERS=host:port, or install Java 17 and Maven, or start Docker',
    ].join('\n  '),
  );
}
