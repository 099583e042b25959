import type { Admin, Kafka } from 'kafkajs';

/** What the broker knows of one partition. Offsets are of the next record. */
export interface BrokerOffsets {
  partition: number;
  /** The group's committed offset; -1 when there is none. */
  committed: number;
  /** Where a member that is assigned the partition begins to read. */
  start: number;
  end: number;
}

export interface BrokerOffsetsReaderOptions {
  kafka: Kafka;
  topic: string;
  groupId: string;
  startFrom: 'earliest' | 'latest';
}

/** Asks the broker where the group stands: the consumer itself learns nothing of partitions that are idle. */
export class BrokerOffsetsReader {
  readonly #admin: Admin;
  readonly #options: BrokerOffsetsReaderOptions;
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: BrokerOffsetsReaderOptions) {
    this.#options = options;
    this.#admin = options.kafka.admin();
  }

  async open(): Promise<void> {
    await this.#admin.connect();
  }

  async partitionCount(): Promise<number> {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [this.#options.topic] });
    return topics[0]?.partitions.length ?? 0;
  }

  /** Rejects once it is closed: kafkajs would connect anew for it, and nobody would ever disconnect that. */
  read(): Promise<BrokerOffsets[]> {
    if (this.#closed)
      return Promise.reject(new Error('the offsets of the broker are not asked for any more'));
    const read = this.#read();
    this.#reading = Promise.allSettled([this.#reading, read]);
    return read;
  }

  async #read(): Promise<BrokerOffsets[]> {
    const { topic, groupId, startFrom } = this.#options;
    const [logs, [group]] = await Promise.all([
      this.#admin.fetchTopicOffsets(topic),
      this.#admin.fetchOffsets({ groupId, topics: [topic] }),
    ]);
    const commits = new Map(group?.partitions.map((p) => [p.partition, Number(p.offset)]));
    return logs.map(({ partition, low, high }) => {
      const committed = commits.get(partition) ?? -1;
      const first = startFrom === 'earliest' ? Number(low) : Number(high);
      const start = committed < 0 ? first : Math.max(committed, Number(low));
      return { partition, committed, start, end: Number(high) };
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reading;
    await this.#admin.disconnect();
  }
}
