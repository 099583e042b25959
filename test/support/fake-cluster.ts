/**
 * A broker as far as a member of a group sees it: one node, one topic, and a group whose generations are driven by
 * hand. Answers as kafkajs decodes them.
 */
import { createRequire } from 'node:module';
import type { Kafka } from 'kafkajs';
import type { KafkaClient } from '../../src/kafka/client.ts';
import type { Api, Broker, Cluster, ProtocolRequest } from '../../src/kafka/cluster.ts';
import { encodeAssignment } from '../../src/kafka/group/assignment.ts';

const require = createRequire(import.meta.url);
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as Record<Api, number>;
const { Kafka: RealKafka } = require('kafkajs') as { Kafka: new (options: object) => Kafka };

export const TOPIC = 'images';

type Parameters = Record<string, unknown>;

export class FakeCluster {
  /** Requests in order; a fetch as `Fetch 0@5,1@0`. */
  readonly log: string[] = [];
  readonly committed = new Map<number, number>();
  /** Where logs begin and end. */
  start = 0;
  end = 100;
  partitions = 2;
  /** What the member is assigned in the next generation. */
  assigned = [0, 1];
  generation = 1;
  /** Answers a request in place of the broker; undefined: the broker answers. */
  answer: (api: Api, parameters: Parameters) => unknown = () => undefined;

  /** A client whose connections all lead here. */
  get client(): KafkaClient {
    const client = new RealKafka({ brokers: ['unused:1'] });
    const key = Object.getOwnPropertySymbols(client).find(({ description }) =>
      description?.endsWith('createCluster'),
    ) as symbol;
    Object.defineProperty(client, key, { value: () => this.#cluster() });
    return client;
  }

  times(api: Api): number {
    return this.log.filter((line) => line.startsWith(api)).length;
  }

  #cluster(): Cluster {
    const broker: Broker = {
      nodeId: 1,
      connectionPool: {
        host: 'unused',
        port: 1,
        pool: [],
        send: (request) => this.#send(request),
        destroy: () => Promise.resolve(),
      },
      lookupRequest: (apiKey) => (parameters) => ({
        request: { apiKey, parameters },
        response: { decode: (data) => data, parse: (decoded) => decoded },
      }),
    };
    const done = (): Promise<void> => Promise.resolve();
    return {
      connect: done,
      addMultipleTargetTopics: done,
      refreshMetadata: done,
      refreshMetadataIfNecessary: done,
      findTopicPartitionMetadata: () =>
        Array.from({ length: this.partitions }, (_, partitionId) => ({ partitionId, leader: 1 })),
      findBroker: () => Promise.resolve(broker),
      removeBroker: () => undefined,
      brokerPool: {
        brokers: { 1: broker },
        seedBroker: undefined,
        findConnectedBroker: () => Promise.resolve(broker),
        connect: done,
        connectBroker: done,
      },
      connectionPoolBuilder: { build: () => Promise.resolve(broker.connectionPool) },
    };
  }

  async #send({ request }: ProtocolRequest): Promise<unknown> {
    const { apiKey, parameters } = request as { apiKey: number; parameters: Parameters };
    const api = Object.entries(apiKeys).find(([, key]) => key === apiKey)?.[0] as Api;
    this.log.push(api === 'Fetch' ? `Fetch ${positionsOf(parameters)}` : api);
    return (await this.answer(api, parameters)) ?? this.#answer(api, parameters);
  }

  #answer(api: Api, parameters: Parameters): unknown {
    switch (api) {
      case 'GroupCoordinator':
        return { coordinator: { nodeId: 1 } };
      case 'JoinGroup':
        return { generationId: this.generation, leaderId: 'other', memberId: 'me', members: [] };
      case 'SyncGroup': {
        const mine = this.assigned.map((partition) => ({ topic: TOPIC, partition }));
        return { memberAssignment: encodeAssignment(mine, []) };
      }
      case 'OffsetFetch':
        return this.#each(parameters, (partition) => this.committed.get(partition) ?? -1);
      case 'ListOffsets':
        return this.#each(parameters, (_, timestamp) => (timestamp === -2 ? this.start : this.end));
      case 'Fetch':
        return new Promise(() => undefined); // nothing to read yet
      default:
        return {};
    }
  }

  #each(parameters: Parameters, offsetOf: (partition: number, timestamp: number) => number) {
    const [topic] = parameters['topics'] as [
      { partitions: Array<{ partition: number; timestamp: number }> },
    ];
    const partitions = topic.partitions.map(({ partition, timestamp }) => ({
      partition,
      offset: String(offsetOf(partition, timestamp)),
      metadata: '',
    }));
    return { responses: [{ topic: TOPIC, partitions }] };
  }
}

function positionsOf(parameters: Parameters): string {
  const [topic] = parameters['topics'] as [
    { partitions: Array<{ partition: number; fetchOffset: string }> },
  ];
  return topic.partitions.map((each) => `${each.partition}@${each.fetchOffset}`).join(',');
}
