import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { commandFault, runCommand } from './command.ts';
import { KAFKA_VERSION } from './jars.ts';
import { startReaper } from './reaper.ts';
import { clusterProperties, type Properties } from './server-properties.ts';
import { aliveBrokers, freePorts } from './wire.ts';

export const KAFKA_IMAGE = `apache/kafka:${KAFKA_VERSION}`;

const NODE_ID = 1;
const READY_TIMEOUT_MS = 60_000;

export interface DockerKafkaOptions {
  env: NodeJS.ProcessEnv;
  onProgress: (line: string) => void;
}

export interface DockerKafka {
  bootstrap: string[];
  stop(): Promise<void>;
}

/**
 * One broker in a container, with its port published on 127.0.0.1 only. Removed by `stop`, or when this
 * process dies. Throws AppError `kafka_unavailable`.
 */
export async function startDockerKafka(options: DockerKafkaOptions): Promise<DockerKafka> {
  const { env, onProgress } = options;
  const [port = 0] = await freePorts(1);
  const name = `moderato-kafka-${randomUUID().slice(0, 8)}`;
  onProgress(`starting ${KAFKA_IMAGE} with Docker (the image is pulled the first time) …`);
  const reaper = startReaper('docker rm -f "$last"', [], env);
  reaper.watch(name);
  const stop = async (): Promise<void> => {
    await runCommand('docker', ['rm', '-f', name], { env }).catch(() => undefined); // it is gone already
    reaper.release();
  };
  try {
    await runCommand('docker', runArguments(name, port), { env });
    await waitUntilReady(port);
  } catch (error) {
    await stop();
    throw new AppError(
      'kafka_unavailable',
      `starting ${KAFKA_IMAGE} with Docker: ${commandFault(error)}`,
      { cause: error },
    );
  }
  return { bootstrap: [`127.0.0.1:${port}`], stop };
}

function runArguments(name: string, port: number): string[] {
  const properties: Properties = {
    'process.roles': 'broker,controller',
    'node.id': NODE_ID,
    'controller.quorum.voters': `${NODE_ID}@localhost:9093`,
    // The same port inside as outside: the broker also reaches itself by what it advertises.
    listeners: `PLAINTEXT://:${port},CONTROLLER://:9093`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    ...clusterProperties(1),
  };
  const settings = Object.entries(properties).flatMap(([property, value]) => [
    '-e',
    `KAFKA_${property.toUpperCase().replaceAll('.', '_')}=${String(value)}`,
  ]);
  const published = `127.0.0.1:${port}:${port}`;
  return ['run', '-d', '--rm', '--name', name, '-p', published, ...settings, KAFKA_IMAGE];
}

async function waitUntilReady(port: number): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const alive = await aliveBrokers(port).catch((): number[] => []); // not listening yet
    if (alive.includes(NODE_ID)) return;
    await sleep(100);
  }
  throw new Error(`the broker did not answer within ${READY_TIMEOUT_MS / 1000} s`);
}
