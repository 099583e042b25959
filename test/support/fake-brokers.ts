/** A cluster as far as the Kafka room's own requests see it: what each broker answers is set by hand. */
import type { Kafka } from 'kafkajs';

const FETCH = 1;

export interface FakeMessage {
  offset: number;
  value?: string;
  /** A transaction's marker, or a record of an aborted one. */
  isControlRecord?: boolean;
}

export interface FakePartition {
  leader: number;
  /** The first offset that is still there. */
  start: number;
  messages: FakeMessage[];
  /** The partition's error code in place of records; 0 for none. */
  errorCode: number;
}

interface Asked {
  topics: Array<{ topic: string; partitions: Array<{ partition: number; fetchOffset?: string }> }>;
}

interface Request {
  api: number;
  parameters: Asked;
  response: { decode: (data: unknown) => unknown; parse: (decoded: unknown) => unknown };
}

export class FakeBrokers {
  readonly topics = new Map<string, FakePartition[]>();
  /** Every position that was fetched, as `broker: topic/partition/offset`. */
  readonly fetched: string[] = [];
  /** Called before a broker answers; an error that it throws is the answer. */
  beforeAnswer: (nodeId: number) => void | Promise<void> = () => undefined;
  connects = 0;
  disconnects = 0;
  refreshes = 0;
  /** What connecting waits for. */
  connecting: Promise<unknown> = Promise.resolve();
  #known = new Map<string, number[]>();
  readonly #seed = {
    pool: [],
    destroy: () => {
      this.disconnects += 1;
      return Promise.resolve();
    },
  };

  /** A topic whose partitions hold numbered messages from 0 up to an end each, all led by broker 1. */
  add(topic: string, ...ends: number[]): FakePartition[] {
    const partitions = ends.map((end) => ({
      leader: 1,
      start: 0,
      messages: Array.from({ length: end }, (_, offset) => ({ offset })),
      errorCode: 0,
    }));
    this.topics.set(topic, partitions);
    return partitions;
  }

  get kafka(): Kafka {
    const admin = {
      connect: () => Promise.resolve(),
      disconnect: () => Promise.resolve(),
      listTopics: () => Promise.resolve([...this.topics.keys()]),
      fetchTopicOffsets: (topic: string) =>
        Promise.resolve(
          (this.topics.get(topic) ?? []).map(({ start, messages }, partition) => ({
            partition,
            low: String(start),
            high: String((messages.at(-1)?.offset ?? start - 1) + 1),
          })),
        ),
    };
    return {
      admin: () => admin,
      [Symbol('private:Kafka:createCluster')]: () => this.#cluster(),
    } as unknown as Kafka;
  }

  #cluster() {
    return {
      connect: () => {
        this.connects += 1;
        return this.connecting;
      },
      disconnect: () => Promise.resolve(void (this.disconnects += 1)),
      addMultipleTargetTopics: () => {
        if (this.#known.size === 0) this.learn();
        return Promise.resolve();
      },
      refreshMetadata: () => {
        this.refreshes += 1;
        this.learn();
        return Promise.resolve();
      },
      refreshMetadataIfNecessary: () => Promise.resolve(),
      findTopicPartitionMetadata: (topic: string) =>
        (this.#known.get(topic) ?? []).map((leader, partitionId) => ({ partitionId, leader })),
      findBroker: ({ nodeId }: { nodeId: number }) => Promise.resolve(this.#broker(nodeId)),
      removeBroker: () => undefined,
      brokerPool: { brokers: {}, seedBroker: { connectionPool: this.#seed } },
      connectionPoolBuilder: { build: () => Promise.resolve(this.#seed) },
    };
  }

  /** Makes the metadata what it is now. */
  learn(): void {
    this.#known = new Map(
      [...this.topics].map(([topic, partitions]) => [topic, partitions.map((p) => p.leader)]),
    );
  }

  #broker(nodeId: number) {
    return {
      nodeId,
      connectionPool: {
        host: 'broker',
        port: nodeId,
        pool: [],
        destroy: () => Promise.resolve(),
        send: async ({ api, parameters, response }: Request) => {
          await this.beforeAnswer(nodeId);
          const data = api === FETCH ? this.#fetch(nodeId, parameters) : this.#starts(parameters);
          return response.parse(response.decode(data));
        },
      },
      lookupRequest: (api: number) => (parameters: Asked) => ({
        api,
        parameters,
        response: { decode: (data: unknown) => data, parse: (decoded: unknown) => decoded },
      }),
      disconnect: () => Promise.resolve(),
    };
  }

  #fetch(nodeId: number, { topics }: Asked) {
    return {
      responses: topics.map(({ topic, partitions }) => ({
        topicName: topic,
        partitions: partitions.map(({ partition, fetchOffset }) => {
          const asked = Number(fetchOffset);
          this.fetched.push(`${nodeId}: ${topic}/${partition}/${asked}`);
          const held = this.topics.get(topic)?.[partition];
          const errorCode = this.#errorOf(held, nodeId, asked);
          const messages = errorCode === 0 ? held?.messages.filter((m) => m.offset >= asked) : [];
          const nextOffset = messages?.length ? (messages.at(-1)?.offset ?? 0) + 1 : undefined;
          return { partition, errorCode, records: messages?.map(toMessage) ?? [], nextOffset };
        }),
      })),
    };
  }

  #errorOf(held: FakePartition | undefined, nodeId: number, asked: number): number {
    if (held === undefined) return 3; // UNKNOWN_TOPIC_OR_PARTITION
    if (held.leader !== nodeId) return 6; // NOT_LEADER_FOR_PARTITION
    if (held.errorCode !== 0) return held.errorCode;
    const end = (held.messages.at(-1)?.offset ?? held.start - 1) + 1;
    return asked < held.start || asked > end ? 1 : 0; // OFFSET_OUT_OF_RANGE
  }

  #starts({ topics }: Asked) {
    return {
      responses: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({
          partition,
          offset: String(this.topics.get(topic)?.[partition]?.start ?? -1),
        })),
      })),
    };
  }
}

function toMessage({ offset, value = `${offset}`, isControlRecord = false }: FakeMessage) {
  return {
    offset: String(offset),
    position: offset,
    timestamp: '1700000000000',
    time: 1_700_000_000_000,
    key: null,
    value: Buffer.from(value),
    headers: {},
    headerList: [],
    isControlRecord,
  };
}
