/**
 * kafkajs' protocol layer, below its own consumer: connections, authentication, metadata and the encoding of
 * requests. kafkajs 2.2.4 has no public way to it, so this file names the internals that the room uses
 * (docs/adr/0024-group-consumer.md).
 */
import { createRequire } from 'node:module';
import type { RetryOptions } from 'kafkajs';
import { AppError } from '../errors.ts';
import type { TopicPartition } from './by-topic.ts';
import type { KafkaClient } from './client.ts';
import { Encoder } from './wire.ts';
import { noteResource, type Authentication } from './refusals.ts';

export interface PartitionMetadata {
  partitionId: number;
  leader: number;
}

export interface Cluster {
  connect(): Promise<void>;
  /** Also asks for the metadata of the topics. */
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  /** Empty for a topic that the metadata does not hold. */
  findTopicPartitionMetadata(topic: string): PartitionMetadata[];
  findBroker(destination: { nodeId: number }): Promise<Broker>;
  /** Forgets the connections to a broker, so that the next request opens new ones. */
  removeBroker(address: { host: string; port: number }): void;
  readonly brokerPool: BrokerPool;
  retrier?: unknown;
  readonly connectionPoolBuilder: { build(address?: object): Promise<ConnectionPool> };
}

interface BrokerPool {
  readonly brokers: Record<number, Broker>;
  readonly seedBroker: Broker | undefined;
  retrier?: unknown;
  /** Connects to one if none is connected. */
  findConnectedBroker(): Promise<Broker>;
  connect(): Promise<void>;
  connectBroker(broker: Broker): Promise<void>;
}

interface ConnectionPool extends Authentication {
  readonly host: string;
  readonly port: number;
  readonly clientId?: string;
  /** One for fetches, one for everything else. */
  readonly pool: readonly Connection[];
  send(request: ProtocolRequest): Promise<unknown>;
  /** Waits for the requests that are under way, then closes. */
  destroy(): Promise<void>;
}

interface Connection {
  readonly socket: { readonly destroyed: boolean; destroy(error?: Error): void } | undefined;
  isConnected(): boolean;
  connect(): Promise<unknown>;
  rejectRequests(error: Error): void;
}

export interface Broker {
  readonly nodeId: number;
  readonly connectionPool: ConnectionPool;
  lookupRequest(apiKey: number, definition: unknown): (parameters: object) => ProtocolRequest;
}

export interface ProtocolRequest {
  request: unknown;
  response: { decode(data: Buffer): unknown; parse(decoded: unknown): unknown };
  requestTimeout?: number;
}

/** The requests of the protocol that this room sends by itself. */
export type Api =
  | 'DescribeConfigs'
  | 'EndTxn'
  | 'Fetch'
  | 'GroupCoordinator'
  | 'Heartbeat'
  | 'InitProducerId'
  | 'JoinGroup'
  | 'LeaveGroup'
  | 'ListOffsets'
  | 'Metadata'
  | 'OffsetCommit'
  | 'OffsetFetch'
  | 'Produce'
  | 'SyncGroup';

const READ_COMMITTED = 1;
const require = createRequire(import.meta.url);
const { requests } = require('kafkajs/src/protocol/requests') as {
  requests: Record<Api, unknown>;
};
const createRetry = require('kafkajs/src/retry') as (options: RetryOptions) => unknown;
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as Record<Api, number>;

/**
 * Connections of their own to the cluster of `kafka`; none is opened before `connect`.
 *
 * @param metadataMaxAgeMs - how old metadata may be before `refreshMetadataIfNecessary` asks for it again, in ms
 * @param retry - for connecting and metadata, where they are not to be those of `kafka`
 */
export function openCluster(
  kafka: KafkaClient,
  metadataMaxAgeMs: number,
  retry?: RetryOptions,
): Cluster {
  const factory = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const create = factory && (kafka as unknown as Record<symbol, unknown>)[factory];
  if (typeof create !== 'function') {
    throw new Error('kafkajs has no createCluster: this room needs kafkajs 2.2.4');
  }
  const cluster = (create as (options: object) => Cluster)({
    metadataMaxAge: metadataMaxAgeMs,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    instrumentationEmitter: null,
    isolationLevel: READ_COMMITTED,
  });
  if (retry) cluster.retrier = cluster.brokerPool.retrier = createRetry(retry);
  const { connectionPoolBuilder } = cluster;
  const build = connectionPoolBuilder.build.bind(connectionPoolBuilder);
  connectionPoolBuilder.build = async (address) => {
    const pool = await build(address);
    if (closedClusters.has(cluster)) disable(pool);
    return pool;
  };
  return cluster;
}

/** The newest version of a request that both sides know. */
export function requestFor(broker: Broker, api: Api, parameters: object): ProtocolRequest {
  return broker.lookupRequest(apiKeys[api], requests[api])(parameters);
}

/** Sends a request; what the broker answers, decoded. Throws what kafkajs throws. */
export async function ask<T>(broker: Broker, api: Api, parameters: object): Promise<T> {
  const { connectionPool: connection } = broker;
  try {
    return (await connection.send(requestFor(broker, api, parameters))) as T;
  } catch (error) {
    noteResource(error, { api, parameters, connection });
    throw error;
  }
}

/** Sends a request that kafkajs does not know; resolves with the body of the answer. */
export async function askRaw(
  { connectionPool }: Broker,
  request: { apiKey: number; apiName: string; apiVersion: number; body: Buffer },
): Promise<Buffer> {
  const { body, ...api } = request;
  return (await connectionPool.send({
    request: { ...api, encode: () => Promise.resolve(new Encoder().writeBuffer(body)) },
    response: { decode: (data) => data, parse: (decoded) => decoded },
  })) as Buffer;
}

const closedClusters = new WeakSet<Cluster>();

/** Connections of dropped brokers that still wait for answers, by cluster. */
const dropped = new WeakMap<Cluster, Set<ConnectionPool>>();

/**
 * Gives up the connections to a broker that does not answer; the next request opens new ones. What is under way on
 * them still has its own time.
 */
export function dropBroker(cluster: Cluster, broker: Broker): void {
  const { connectionPool, nodeId } = broker;
  if (cluster.brokerPool.brokers[nodeId] === broker) cluster.removeBroker(connectionPool);
  // kafkajs opens a closed connection again when something is sent on it; nothing would close it then.
  disable(connectionPool);
  const pools = dropped.get(cluster) ?? new Set();
  dropped.set(cluster, pools.add(connectionPool));
  void connectionPool
    .destroy()
    .catch(() => undefined) // it may be gone already
    .then(() => pools.delete(connectionPool));
}

/** Ends every connection and every request that is under way. The next request opens new connections. */
export async function hangUp(cluster: Cluster): Promise<void> {
  const { brokers, seedBroker } = cluster.brokerPool;
  const pools = new Set(dropped.get(cluster));
  for (const broker of Object.values(brokers)) pools.add(broker.connectionPool);
  if (seedBroker) pools.add(seedBroker.connectionPool);
  await Promise.all([...pools].map(cut));
}

/** Hangs up for good: kafkajs would reconnect for what is retried at this moment, and nothing would close that. */
export async function closeCluster(cluster: Cluster): Promise<void> {
  const { brokerPool } = cluster;
  closedClusters.add(cluster);
  brokerPool.connect = () => Promise.reject(closed());
  brokerPool.connectBroker = () => Promise.reject(closed());
  for (const broker of Object.values(brokerPool.brokers)) disable(broker.connectionPool);
  if (brokerPool.seedBroker) disable(brokerPool.seedBroker.connectionPool);
  await hangUp(cluster);
}

function disable({ pool }: ConnectionPool): void {
  for (const connection of pool) connection.connect = () => Promise.reject(closed());
}

async function cut(connectionPool: ConnectionPool): Promise<void> {
  for (const connection of connectionPool.pool) {
    const { socket } = connection;
    connection.rejectRequests(closed());
    // One that is being opened would be open afterwards, and its timeout would run on.
    if (socket && !socket.destroyed && !connection.isConnected()) socket.destroy(closed());
  }
  await connectionPool.destroy();
  for (const { socket } of connectionPool.pool) socket?.destroy();
}

/** As kafkajs' own, but not to be tried again inside kafkajs. */
function closed(): Error {
  return Object.assign(new Error('the connection is closed'), {
    name: 'KafkaJSConnectionClosedError',
    retriable: false,
  });
}

/** Every partition of `topics` that the metadata names. Throws AppError `topic_missing` for a topic without any. */
export function partitionsOf(
  cluster: Cluster,
  topics: readonly string[],
): Array<TopicPartition & { leader: number }> {
  return topics.flatMap((topic) => {
    const partitions = leadersOf(cluster, topic);
    if (partitions.length === 0) {
      throw new AppError(
        'topic_missing',
        `consuming ${topic}: there is no such topic, or it is hidden from this user; create it (moderato topics create) or correct topics.input`,
      );
    }
    return partitions;
  });
}

/** The partitions of a topic that the metadata names, with their leaders; none for a topic that it does not hold. */
export function leadersOf(
  cluster: Cluster,
  topic: string,
): Array<TopicPartition & { leader: number }> {
  return cluster
    .findTopicPartitionMetadata(topic)
    .map(({ partitionId: partition, leader }) => ({ topic, partition, leader }));
}
