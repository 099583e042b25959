/**
 * kafkajs as far as readers of ranges and of whole topics see it, driven by hand: the real broker decides nothing
 * about timing that a test could rely on.
 */
import { EventEmitter } from 'node:events';
import type { Consumer, ConsumerConfig, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';

import type { BatchHeader } from '../../src/kafka/fetch/batch-header.ts';
import { FetchedMessage } from '../../src/kafka/fetch/fetched-message.ts';

const EVENTS = {
  HEARTBEAT: 'consumer.heartbeat',
  GROUP_JOIN: 'consumer.group_join',
  REBALANCING: 'consumer.rebalancing',
  STOP: 'consumer.stop',
  CRASH: 'consumer.crash',
  START_BATCH_PROCESS: 'consumer.start_batch_process',
  END_BATCH_PROCESS: 'consumer.end_batch_process',
};

interface Offsets {
  partition: number;
  offset: string;
}

export interface FetchOptions {
  /** Of the last record, visible or not. @default that of the last message */
  lastOffset?: number;
  highWatermark?: number;
  isStale?: () => boolean;
}

export class FakeConsumer {
  readonly config: ConsumerConfig;
  readonly events = EVENTS;
  readonly emitter = new EventEmitter();
  /** What was done with the consumer, in order. */
  readonly log: string[] = [];
  /** Offsets that kafkajs was told to fetch after, as `partition/offset`. */
  readonly resolved: string[] = [];
  readonly commits: Offsets[][] = [];
  heartbeats = 0;
  heartbeat: () => Promise<void> = () => Promise.resolve();
  commit: (offsets: Offsets[]) => Promise<void> = () => Promise.resolve();
  #eachBatch: ((payload: EachBatchPayload) => Promise<void>) | undefined;

  constructor(config: ConsumerConfig) {
    this.config = config;
  }

  on(event: string, listener: (event: { payload: unknown }) => void): void {
    this.emitter.on(event, listener);
  }

  emit(event: keyof typeof EVENTS, payload: unknown = {}): void {
    this.emitter.emit(EVENTS[event], { payload });
  }

  connect(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(): Promise<void> {
    return Promise.resolve();
  }

  run(options: { eachBatch: (payload: EachBatchPayload) => Promise<void> }): Promise<void> {
    this.#eachBatch = options.eachBatch;
    return Promise.resolve();
  }

  pause(topics: Array<{ partitions?: number[] }>): void {
    this.log.push(['pause', ...(topics[0]?.partitions ?? [])].join(' '));
  }

  resume(topics: Array<{ partitions?: number[] }>): void {
    this.log.push(['resume', ...(topics[0]?.partitions ?? [])].join(' '));
  }

  seek({ partition, offset }: Offsets): void {
    this.log.push(`seek ${partition}/${offset}`);
  }

  disconnect(): Promise<void> {
    this.log.push('disconnect');
    return Promise.resolve();
  }

  join(topic: string, partitions: number[]): void {
    this.emit('GROUP_JOIN', { memberAssignment: { [topic]: partitions } });
  }

  /** Calls eachBatch as kafkajs does with the records of a fetch. */
  async fetch(partition: number, offsets: number[], options: FetchOptions = {}): Promise<void> {
    const lastOffset = options.lastOffset ?? offsets.at(-1) ?? 0;
    const payload = {
      batch: {
        topic: 'images',
        partition,
        highWatermark: String(options.highWatermark ?? lastOffset + 1),
        messages: offsets.map(message),
        firstOffset: () => String(offsets[0]),
        lastOffset: () => String(lastOffset),
      },
      resolveOffset: (offset: string) => {
        this.resolved.push(`${partition}/${offset}`);
      },
      heartbeat: () => {
        this.heartbeats += 1;
        return this.heartbeat();
      },
      isRunning: () => true,
      isStale: options.isStale ?? ((): boolean => false),
      commitOffsetsIfNecessary: async ({
        topics,
      }: {
        topics: Array<{ partitions: Offsets[] }>;
      }) => {
        const partitions = topics[0]?.partitions ?? [];
        await this.commit(partitions);
        this.commits.push(partitions);
      },
    };
    await this.#eachBatch?.(payload as unknown as EachBatchPayload);
  }
}

export class FakeKafka {
  topics = ['images'];
  /** What the group has committed, by partition. */
  committed: Record<number, number> = {};
  ends: Record<number, number> = { 0: 100, 1: 100 };
  consumerMade: FakeConsumer | undefined;
  /** Every admin request waits for this. */
  answer: Promise<unknown> = Promise.resolve();

  /** The consumer of the source under test, once it has started. */
  get current(): FakeConsumer {
    if (!this.consumerMade) throw new Error('the source has not made a consumer yet');
    return this.consumerMade;
  }

  get kafka(): Kafka {
    return {
      consumer: (config: ConsumerConfig): Consumer => {
        this.consumerMade = new FakeConsumer(config);
        return this.consumerMade as unknown as Consumer;
      },
      admin: () => ({
        connect: () => this.answer,
        disconnect: () => Promise.resolve(),
        listTopics: () => this.answer.then(() => this.topics),
        fetchTopicMetadata: () => Promise.resolve({ topics: [{ partitions: [{}, {}] }] }),
        fetchTopicOffsets: () =>
          this.answer.then(() =>
            Object.entries(this.ends).map(([partition, end]) => ({
              partition: Number(partition),
              low: '0',
              high: String(end),
            })),
          ),
        fetchOffsets: () =>
          this.answer.then(() => [
            {
              topic: 'images',
              partitions: Object.keys(this.ends).map((partition) => ({
                partition: Number(partition),
                offset: String(this.committed[Number(partition)] ?? -1),
              })),
            },
          ]),
      }),
    } as unknown as Kafka;
  }
}

/** As this project's decoding of fetches gives it to kafkajs. */
function message(offset: number): KafkaMessage {
  const batch = { producerId: '-1', inTransaction: false } as BatchHeader;
  const value = Buffer.from(String(offset));
  return new FetchedMessage(
    batch,
    offset,
    1_700_000_000_000,
    null,
    value,
  ) as object as KafkaMessage;
}

/** What kafkajs throws for a protocol error. */
export function protocolError(type: string, options: { retriable?: boolean } = {}): Error {
  return Object.assign(new Error(`kafka says ${type}`), {
    name: 'KafkaJSProtocolError',
    type,
    ...options,
  });
}
