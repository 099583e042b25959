/**
 * kafkajs' protocol layer, below its own consumer: connections, authentication, metadata and the encoding of
 * requests. kafkajs 2.2.4 has no public way to it, so this file names the internals that the room uses
 * (docs/adr/0020-group-consumer.md).
 */
import { createRequire } from 'node:module';
import { AppError } from '../errors.ts';
import type { KafkaClient } from './client.ts';

export interface PartitionMetadata {
  partitionId: number;
  leader: number;
}

export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  /** Also asks for the metadata of the topics. */
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  /** Empty for a topic that the metadata does not hold. */
  findTopicPartitionMetadata(topic: string): PartitionMetadata[];
  findBroker(destination: { nodeId: number }): Promise<Broker>;
  /** Forgets the connections to a broker, so that the next request opens new ones. */
  removeBroker(address: { host: string; port: number }): void;
  readonly brokerPool: {
    /** Connects to one if none is connected. */
    findConnectedBroker(): Promise<Broker>;
  };
}

export interface Broker {
  readonly nodeId: number;
  readonly connectionPool: {
    readonly host: string;
    readonly port: number;
    send(request: ProtocolRequest): Promise<unknown>;
  };
  lookupRequest(apiKey: number, definition: unknown): (parameters: object) => ProtocolRequest;
  disconnect(): Promise<void>;
}

export interface ProtocolRequest {
  request: unknown;
  response: { decode(data: Buffer): unknown; parse(decoded: unknown): unknown };
  requestTimeout?: number;
}

/** The requests of the protocol that this room sends by itself. */
export type Api =
  | 'Fetch'
  | 'GroupCoordinator'
  | 'Heartbeat'
  | 'JoinGroup'
  | 'LeaveGroup'
  | 'ListOffsets'
  | 'OffsetCommit'
  | 'OffsetFetch'
  | 'SyncGroup';

const READ_COMMITTED = 1;
const require = createRequire(import.meta.url);
const { requests } = require('kafkajs/src/protocol/requests') as {
  requests: Record<Api, unknown>;
};
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as Record<Api, number>;

/**
 * Connections of their own to the cluster of `kafka`; none is opened before `connect`.
 *
 * @param metadataMaxAgeMs - how old metadata may be before `refreshMetadataIfNecessary` asks for it again, in ms
 */
export function openCluster(kafka: KafkaClient, metadataMaxAgeMs: number): Cluster {
  const factory = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const create = factory && (kafka as unknown as Record<symbol, unknown>)[factory];
  if (typeof create !== 'function') {
    throw new Error('kafkajs has no createCluster: this room needs kafkajs 2.2.4');
  }
  return create({
    metadataMaxAge: metadataMaxAgeMs,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    instrumentationEmitter: null,
    isolationLevel: READ_COMMITTED,
  }) as Cluster;
}

/** The newest version of a request that both sides know. */
export function requestFor(broker: Broker, api: Api, parameters: object): ProtocolRequest {
  return broker.lookupRequest(apiKeys[api], requests[api])(parameters);
}

/** Sends a request; what the broker answers, decoded. Throws what kafkajs throws. */
export async function ask<T>(broker: Broker, api: Api, parameters: object): Promise<T> {
  return (await broker.connectionPool.send(requestFor(broker, api, parameters))) as T;
}

/** Closes the connections to a broker that does not answer; the next request opens new ones. */
export function dropBroker(cluster: Cluster, broker: Broker): void {
  const { host, port } = broker.connectionPool;
  cluster.removeBroker({ host, port });
  broker.disconnect().catch(() => undefined); // it may be gone already
}

/** Every partition of `topics` that the metadata names. Throws AppError `topic_missing` for a topic without any. */
export function partitionsOf(
  cluster: Cluster,
  topics: readonly string[],
): Array<{ topic: string; partition: number; leader: number }> {
  return topics.flatMap((topic) => {
    const partitions = cluster.findTopicPartitionMetadata(topic);
    if (partitions.length === 0) {
      throw new AppError(
        'topic_missing',
        `consuming ${topic}: there is no such topic, or it is hidden from this user; create it (moderato topics create) or correct topics.input`,
      );
    }
    return partitions.map(({ partitionId, leader }) => ({ topic, partition: partitionId, leader }));
  });
}
